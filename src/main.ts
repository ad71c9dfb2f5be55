// The API process: waits for its databases, checks their migrations, listens, and stops cleanly.
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

/** Limit for stopping, after draining. With the default drain of 1 s less than the usual 10 s of an orchestrator; under `npm run up`, which waits 8 s, there is no drain. */
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
  return isHost ? new StartFailure('HOST is not an address of this machine') : error;
}

/** Keeps serving while `/readyz` answers 503, so that load balancers can stop sending requests. */
async function drain(app: NestFastifyApplication, drainMs: number): Promise<void> {
  app.get(HealthProbes).drain();
  await sleep(drainMs);
}

function stopOnSignals(app: NestFastifyApplication, drainMs: number, log: Log): void {
  let stopping = false;
  const stop = (): void => {
    // Under npm, a Ctrl-C arrives twice.
    if (stopping) return;
    stopping = true;
    // Not a failure: requests in flight have been cut before, so only closing a pool hangs.
    setTimeout(() => {
      log.warn('api stopped before everything was closed');
      process.exit(0);
    }, drainMs + STOP_MS).unref();
    log.info('api stopping', { drain_ms: drainMs });
    const closed = drain(app, drainMs).then(() => app.close());
    closed.then(
      async () => {
        await endTracing();
        log.info('api stopped');
        process.exit(0);
      },
      (error: unknown) => {
        log.error('failed to stop cleanly', {}, error);
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
