// The API process: waits for its databases, refuses to run on old tables, listens, and ends cleanly.
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { DataSource } from 'typeorm';
import { createApp } from './app.setup.js';
import { AppError } from './common/errors.js';
import { errorFields, Log } from './common/log.js';
import { config, ConfigError, required, type Config } from './config/config.js';
import { createDataSource } from './database/data-source.js';
import { pendingMigrations } from './database/pending-migrations.js';
import { isStorageAway } from './database/failures.js';
import { keystoreDataSource } from './vault/keystore-data-source.js';

const WAIT_MS = 30_000;
const RETRY_MS = 1_000;
/** Less than the 10 s after which whoever stops us loses patience. */
const STOP_MS = 9_000;

/** What ends the start: one sentence for the operator, no stack. */
class StartFailure extends Error {}

/** SQLSTATE or system error; the message might quote the connection string. */
const codeIn = (error: unknown): string => {
  const { code } = errorFields(error);
  return code === undefined ? '' : ` (${code})`;
};

async function awaitMigrated(source: DataSource, name: string, log: Log): Promise<void> {
  for (const until = Date.now() + WAIT_MS; !source.isInitialized; await sleep(RETRY_MS)) {
    try {
      await source.initialize();
      break;
    } catch (error) {
      if (!isStorageAway(error) || Date.now() > until)
        throw new StartFailure(`the ${name} database cannot be used${codeIn(error)}`, { cause: error });
      log.warn('waiting for a database', { database: name, err: errorFields(error) });
    }
  }
  try {
    if ((await pendingMigrations(source)).length > 0)
      throw new StartFailure(`the ${name} database is not up to date: run "colloquy migrate"`);
  } finally {
    await source.destroy();
  }
}

async function start(settings: Config, log: Log): Promise<NestFastifyApplication> {
  const content = createDataSource({ url: required(settings.databaseUrl, 'DATABASE_URL'), role: 'owner', poolSize: 1 });
  const keystore = keystoreDataSource(required(settings.keystoreDatabaseUrl, 'KEYSTORE_DATABASE_URL'));
  await awaitMigrated(content, 'content', log);
  await awaitMigrated(keystore, 'keystore', log);
  const app = await createApp(settings, log);
  try {
    await app.listen(settings.port, '0.0.0.0');
  } catch (error) {
    await app.close();
    const inUse = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
    throw inUse ? new StartFailure(`port ${settings.port} is in use: set PORT to a free one`) : error;
  }
  const { port } = app.getHttpServer().address() as AddressInfo;
  log.info('api ready', { port });
  return app;
}

function stopOnSignals(app: NestFastifyApplication, log: Log): void {
  const stop = (): void => {
    setTimeout(() => process.exit(1), STOP_MS).unref();
    app.close().then(
      () => {
        log.info('api stopped');
        process.exit(0);
      },
      (error: unknown) => {
        log.error('stopping failed', {}, error);
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

try {
  const settings = config();
  const log = new Log(settings.logLevel);
  stopOnSignals(await start(settings, log), log);
} catch (error) {
  const isOurs = error instanceof ConfigError || error instanceof AppError || error instanceof StartFailure;
  process.stderr.write(
    `${isOurs ? error.message : `the API did not start: ${error instanceof Error ? error.name : 'unknown'}`}\n`,
  );
  process.exit(1);
}
