// The API process: waits for its databases, refuses to run on old tables, listens, and ends cleanly.
import { endTracing } from './observability/start-tracing.js';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApp } from './app.setup.js';
import { AppError } from './common/errors.js';
import { Log } from './common/log.js';
import { config, ConfigError, type Config } from './config/config.js';
import { waitForDatabases, StartFailure } from './health/wait-for-databases.js';
import { HealthProbes } from './health/probes.js';

/** Once drained. With the drain by default less than the 10 s after which whoever stops us loses patience; `npm run up`, which gives its programs 8 s, drains none. */
const STOP_MS = 7_800;

async function start(settings: Config, log: Log): Promise<NestFastifyApplication> {
  await waitForDatabases(settings, 'api', log);
  const app = await createApp(settings, log);
  try {
    await app.listen(settings.port, settings.host);
  } catch (error) {
    await app.close();
    throw listenFailure(error, settings);
  }
  const { port } = app.getHttpServer().address() as AddressInfo;
  log.info('api ready', { port });
  return app;
}

function listenFailure(error: unknown, { port }: Config): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return new StartFailure(`port ${port} is in use: set PORT to a free one`);
  const isHost = code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN';
  return isHost ? new StartFailure('HOST is no address of this machine') : error;
}

/** Goes on as before while `/readyz` says that it ends, so that whoever sends here has time to stop. */
async function drain(app: NestFastifyApplication, drainMs: number): Promise<void> {
  app.get(HealthProbes).drain();
  await sleep(drainMs);
}

function stopOnSignals(app: NestFastifyApplication, drainMs: number, log: Log): void {
  let stopping = false;
  const stop = (): void => {
    // A Ctrl-C under npm arrives twice.
    if (stopping) return;
    stopping = true;
    // No failure: requests in flight were cut before, what hangs is the end of a pool.
    setTimeout(() => {
      log.warn('api stopped while something hangs');
      process.exit(0);
    }, drainMs + STOP_MS).unref();
    log.info('api stops', { drain_ms: drainMs });
    const closed = drain(app, drainMs).then(() => app.close());
    closed.then(
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
  stopOnSignals(await start(settings, log), settings.drainSeconds * 1000, log);
} catch (error) {
  const isOurs = error instanceof ConfigError || error instanceof AppError || error instanceof StartFailure;
  process.stderr.write(
    `${isOurs ? error.message : `the API did not start: ${error instanceof Error ? error.name : 'unknown'}`}\n`,
  );
  process.exit(1);
}
