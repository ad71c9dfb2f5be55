// Everything that has work has a workflow: checked when Temporal is there, every hour, and again soon after a failure. A
// server that has just been set up refuses starts for some seconds, until it knows our search attributes.
import { errorFields, type Log } from '../common/log.js';
import type { Missing } from './missing-workflows.js';

const HOUR_MS = 3_600_000;
const RETRY_MS = 5_000;

interface Dependencies {
  /** Starts what has no workflow, by type of workflow; null while Temporal is away, whose return is told by `nudge()`. */
  startMissing: () => Promise<Record<string, Missing> | null>;
  log: Log;
  retryMs?: number;
}

export class Reconciler {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | null = null;
  private again = false;
  private stopped = false;

  constructor(private readonly deps: Dependencies) {}

  /** Looks at once; while a look is under way, once more after it. */
  nudge(): void {
    if (this.stopped) return;
    this.again = this.running !== null;
    this.running ??= this.look().finally(() => {
      this.running = null;
      if (this.again) this.nudge();
    });
  }

  /** Does not wait for a look that is under way: a Temporal that hangs must not hold up the end. */
  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private async look(): Promise<void> {
    const { log, startMissing, retryMs = RETRY_MS } = this.deps;
    clearTimeout(this.timer);
    let next = HOUR_MS;
    try {
      const missing = await startMissing();
      if (missing !== null) log.info('everything that has work has its workflow', missing);
    } catch (error) {
      if (this.stopped) return;
      next = retryMs;
      log.warn('starting missing workflows failed; trying again', { err: errorFields(error) });
    }
    if (!this.stopped) this.timer = setTimeout(() => this.nudge(), next);
  }
}
