// The worker process: applies facts, wakes workflows, runs them. Scale it out as you like; locks share the work.
import { endTracing } from './observability/start-tracing.js';
import { config, ConfigError } from './config/config.js';
import { AppError } from './common/errors.js';
import { Log } from './common/log.js';
import { databasesReady, StartFailure } from './databases-ready.js';
import { TemporalWorker } from './temporal/temporal-worker.js';
import { startWorker } from './worker-process.js';

try {
  const settings = config();
  const log = new Log(settings.logLevel);
  TemporalWorker.installRuntime(log);
  await databasesReady(settings, log);
  const worker = await startWorker(settings, log);
  const stop = (): void => {
    worker.stop().then(
      () => endTracing().then(() => process.exit(0)),
      (error: unknown) => {
        log.error('stopping failed', {}, error);
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
} catch (error) {
  if (!(error instanceof ConfigError || error instanceof AppError || error instanceof StartFailure)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
