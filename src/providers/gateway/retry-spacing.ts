// Spreads the retries of requests that found no slot, so that many waiting requests cost no more than a few.
import type { Clock } from '../../common/clock.js';

/** Earliest retry, milliseconds; up to twice as late at random. */
const EARLIEST_MS = 2_000;
/** Distance between two retries of one account. */
const APART_MS = 50;
const LATEST_MS = 300_000;

export class RetrySpacing {
  /** Account → time of its last scheduled retry, epoch milliseconds. */
  private readonly last = new Map<string, number>();

  constructor(private readonly deps: { clock: Clock; random: () => number }) {}

  /** Milliseconds until the next request of the account should be retried. */
  next(accountId: string): number {
    const now = this.deps.clock.now();
    for (const [id, at] of this.last) if (at <= now) this.last.delete(id);
    const earliest = now + EARLIEST_MS * (1 + this.deps.random());
    const at = Math.min(now + LATEST_MS, Math.max(earliest, (this.last.get(accountId) ?? 0) + APART_MS));
    this.last.set(accountId, at);
    return Math.round(at - now);
  }
}
