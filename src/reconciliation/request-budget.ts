// How often one account of a provider is asked: so many requests a second, and not at all while it wants us to stay away.
import { setTimeout as sleep } from 'node:timers/promises';
import { ProviderError } from '../providers/provider.js';

/** Unused time that may be spent at once, milliseconds. */
const BURST_MS = 250;
const ATTEMPTS = 6;
/** Where the provider does not say how long to stay away, milliseconds; doubles with every attempt. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;

/** What passes of the time; tests pass their own. */
export interface Clock {
  now(): number;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

const REAL: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => sleep(ms, undefined, { signal }),
};

export class RequestBudget {
  /** When the next request may go, epoch milliseconds. */
  private nextAt = 0;
  private awayUntil = 0;

  constructor(
    private readonly perSecond: number,
    private readonly clock: Clock = REAL,
  ) {}

  /**
   * Sends a request when its turn comes. 429 keeps every request of the account back for `Retry-After`; a retryable failure
   * is tried {@link ATTEMPTS} times, then thrown. Rejects when `signal` is aborted while it waits.
   */
  async ask<Answer>(request: () => Promise<Answer>, signal: AbortSignal): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1) {
      await this.turn(signal);
      try {
        return await request();
      } catch (error) {
        if (!(error instanceof ProviderError) || !error.retryable || attempt >= ATTEMPTS) throw error;
        await this.stepBack(error, attempt, signal);
      }
    }
  }

  private async turn(signal: AbortSignal): Promise<void> {
    const now = this.clock.now();
    const at = Math.max(now - BURST_MS, this.nextAt);
    this.nextAt = at + 1000 / this.perSecond;
    if (at > now) await this.clock.sleep(at - now, signal);
    while (this.awayUntil > this.clock.now()) await this.clock.sleep(this.awayUntil - this.clock.now(), signal);
    signal.throwIfAborted();
  }

  private async stepBack(error: ProviderError, attempt: number, signal: AbortSignal): Promise<void> {
    const waitMs = Math.min(LONGEST_WAIT_MS, error.retryAfterMs ?? FIRST_WAIT_MS * 2 ** (attempt - 1));
    const isTold = error.status === 429 || error.retryAfterMs !== null;
    if (isTold) this.awayUntil = Math.max(this.awayUntil, this.clock.now() + waitMs);
    else await this.clock.sleep(waitMs, signal);
  }
}

/** One budget an account, for all that reconciliation does in this process. */
export class RequestBudgets {
  private readonly byAccount = new Map<string, RequestBudget>();

  /** `perSecond`: requests a second and account. */
  constructor(private readonly perSecond: number) {}

  of(accountId: string): RequestBudget {
    const known = this.byAccount.get(accountId);
    if (known !== undefined) return known;
    const budget = new RequestBudget(this.perSecond);
    this.byAccount.set(accountId, budget);
    return budget;
  }
}
