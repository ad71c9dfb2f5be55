// The API process: waits for its databases, refuses to run on old tables, listens, and ends cleanly.
import { endTracing } from './observability/start-tracing.js';
import type { AddressInfo } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp } from './app.setup.js';
import { AppError } from './common/errors.js';
import { Log } from './common/log.js';
import { config, ConfigError, type Config } from './config/config.js';
import { databasesReady, StartFailure } from './databases-ready.js';

/** Less than the 10 s after which whoever stops us loses patience, and than the 8 s that `npm run up` gives its programs. */
const STOP_MS = 7_800;

async function start(settings: Config, log: Log): Promise<NestFastifyApplication> {
  await databasesReady(settings, 'api', log);
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
  let stopping = false;
  const stop = (): void => {
    // A Ctrl-C under npm arrives twice.
    if (stopping) return;
    stopping = true;
    // No failure: requests in flight were cut before, what hangs is the end of a pool.
    setTimeout(() => {
      log.warn('api stopped while something hangs');
      process.exit(0);
    }, STOP_MS).unref();
    app.close().then(
      async () => {
        await endTracing();
        log.info('api stopped');
        process.exit(0);
      },
      (error: unknown) => {
        log.error('stopping failed', {}, error);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
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
