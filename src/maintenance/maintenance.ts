// Runs the clean-up tasks at the worker's start and then hourly, one after the other; a failing task does not stop the next.
import { errorFields, type Log } from '../common/log.js';
import type { MaintenanceTask } from './maintenance-task.js';

const HOUR_MS = 3_600_000;

export class Maintenance {
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly tasks: MaintenanceTask[],
    private readonly log: Log,
  ) {}

  start(): void {
    const run = (): void => void this.run(new Date());
    this.timer = setInterval(run, HOUR_MS);
    run();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Runs every task once, in order. Never rejects: a failure is logged and tried again in an hour. */
  async run(now: Date): Promise<void> {
    for (const task of this.tasks) {
      try {
        const done = await task.run(now);
        if (Object.values(done).some((count) => count > 0))
          this.log.info('maintenance done', { task: task.name, ...done });
      } catch (error) {
        this.log.error('maintenance failed; the next hour tries again', { task: task.name, err: errorFields(error) });
      }
    }
  }
}
