// The worker process: applies facts, starts and signals workflows, runs them. Run any number; locks share the work.
import { endTracing } from './observability/start-tracing.js';
import { config, ConfigError } from './config/config.js';
import { AppError } from './common/errors.js';
import { Log } from './common/log.js';
import { waitForDatabases, StartFailure } from './health/wait-for-databases.js';
import { TemporalWorker } from './temporal/temporal-worker.js';
import { startWorker, type RunningWorker } from './worker.setup.js';

/** Limit for stopping: less than the usual 10 s of an orchestrator, and than the 8 s of `npm run up`. */
const STOP_MS = 7_800;

function stopOnSignals(worker: RunningWorker, log: Log): void {
  let stopping = false;
  const stop = (): void => {
    // Under npm, a Ctrl-C arrives twice.
    if (stopping) return;
    stopping = true;
    log.info('worker stopping');
    // Not a failure: another worker can repeat everything.
    setTimeout(() => {
      log.warn('worker stopped before its work was done; another worker repeats it');
      process.exit(0);
    }, STOP_MS);
    worker.stop().then(
      async () => {
        await endTracing();
        log.info('worker stopped');
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
  TemporalWorker.installRuntime(log);
  await waitForDatabases(settings, 'worker', log);
  stopOnSignals(await startWorker(settings, log), log);
} catch (error) {
  if (!(error instanceof ConfigError || error instanceof AppError || error instanceof StartFailure)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
