// The worker process: applies facts, starts and signals workflows, runs them. Run any number; locks share the work.
import { endTracing } from './observability/start-tracing.js';
import { config, ConfigError } from './config/config.js';
import { AppError } from './common/errors.js';
import { Log } from './common/log.js';
import { waitForDatabases, StartFailure } from './health/wait-for-databases.js';
import { TemporalWorker } from './temporal/temporal-worker.js';
import { startWorker, type RunningWorker } from './worker.setup.js';

/** Less than the 10 s after which whoever stops us loses patience, and than the 8 s that `npm run up` gives its programs. */
const STOP_MS = 7_800;

function stopOnSignals(worker: RunningWorker, log: Log): void {
  let stopping = false;
  const stop = (): void => {
    // A Ctrl-C under npm arrives twice.
    if (stopping) return;
    stopping = true;
    log.info('worker stopping');
    // No failure: everything that a worker does may be done again.
    setTimeout(() => {
      log.warn('worker stopped in the middle of something that hangs; the next worker does it again');
      process.exit(0);
    }, STOP_MS);
    worker.stop().then(
      async () => {
        await endTracing();
        log.info('worker stopped');
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
  TemporalWorker.installRuntime(log);
  await waitForDatabases(settings, 'worker', log);
  stopOnSignals(await startWorker(settings, log), log);
} catch (error) {
  if (!(error instanceof ConfigError || error instanceof AppError || error instanceof StartFailure)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
