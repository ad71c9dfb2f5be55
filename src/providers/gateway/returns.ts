// When those who found no place come again: one after the other, so that many who wait cost no more than few.
import type { Clock } from '../../common/clock.js';

/** From this on, up to twice as late, milliseconds. */
const SOONEST_MS = 2_000;
/** Between two of one account. */
const APART_MS = 50;
const LATEST_MS = 300_000;

export class Returns {
  /** Account → when the last one comes, epoch milliseconds. */
  private readonly last = new Map<string, number>();

  constructor(private readonly deps: { clock: Clock; random: () => number }) {}

  /** Milliseconds until a further one of the account should come. */
  next(accountId: string): number {
    const now = this.deps.clock.now();
    for (const [id, at] of this.last) if (at <= now) this.last.delete(id);
    const soonest = now + SOONEST_MS * (1 + this.deps.random());
    const at = Math.min(now + LATEST_MS, Math.max(soonest, (this.last.get(accountId) ?? 0) + APART_MS));
    this.last.set(accountId, at);
    return Math.round(at - now);
  }
}
