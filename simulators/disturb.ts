// Applies request faults: delays, queued statuses, a share of errors.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Faults } from './faults.js';
import { ApiError, type Operation } from './http.js';
import { Draws } from './random.js';

/** The connection is closed without a response. */
export class CutOff extends Error {}

/** Applies request faults. The seed, not the arrival order, decides which requests an error share hits. */
export class Disturbance {
  private readonly draws: Draws;

  constructor(
    private readonly faults: Faults,
    seed: string,
  ) {
    this.draws = new Draws(`${seed} errors`);
  }

  /** Whether to cut off the next request before anything else; uses up one of `resetConnections`. */
  isCutOff(): boolean {
    if (this.faults.resetConnections <= 0) return false;
    this.faults.resetConnections -= 1;
    return true;
  }

  /** Waits for the configured delay, then throws {@link ApiError} or {@link CutOff} when the request should fail. */
  async before(operation: Operation, path: string): Promise<void> {
    const delayMs = this.delayOf(operation);
    if (delayMs > 0) await sleep(delayMs);
    const status = this.prepared(operation)?.shift() ?? this.drawn(`${operation} ${path}`);
    if (status === 200) return;
    if (status === 0) throw new CutOff('cut off');
    const { retryAfterSeconds: after } = this.faults;
    const isRetryable = after !== undefined && (status === 429 || status === 503);
    throw new ApiError(status, `simulated ${status}`, isRetryable ? { 'retry-after': String(after) } : {});
  }

  private drawn(request: string): number {
    const { share, statuses } = this.faults.errors;
    if (share === 0 || statuses.length === 0) return 200;
    const random = this.draws.next(request);
    return random.chance(share) ? random.pick(statuses) : 200;
  }

  private prepared(operation: Operation): number[] | undefined {
    const { getStatus, listStatus, deleteStatus, audioStatus } = this.faults;
    return { get: getStatus, list: listStatus, delete: deleteStatus, audio: audioStatus, other: undefined }[operation];
  }

  private delayOf(operation: Operation): number {
    const { getDelayMs, listDelayMs, audioDelayMs, deleteDelayMs } = this.faults;
    return { get: getDelayMs, list: listDelayMs, delete: deleteDelayMs, audio: audioDelayMs, other: 0 }[operation];
  }
}
