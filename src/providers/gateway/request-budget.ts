// How often one account of a provider is asked: so many requests a second, and not at all while it wants us to stay away.
import { setTimeout as sleep } from 'node:timers/promises';
import { ProviderError } from '../provider.js';

/** Unused time that may be spent at once, milliseconds. */
const BURST_MS = 250;
/** Where the provider does not say how long to stay away, milliseconds; doubles with every attempt. */
const FIRST_WAIT_MS = 1_000;

/** What a request is worth. */
export interface Persistence {
  attempts: number;
  /** The longest wait for a provider that wants us to stay away, milliseconds: a longer one is the caller's. */
  patienceMs: number;
}

export const INSIST: Persistence = { attempts: 6, patienceMs: 30_000 };
export const ONCE: Persistence = { ...INSIST, attempts: 1 };
/** For what is asked again soon in any case, and has little time. */
export const NOW_OR_NOT: Persistence = { attempts: 1, patienceMs: 0 };

/** The request was not sent: the provider wants us to stay away, and did not mean this request. */
export class NotWelcome extends ProviderError {}

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
  /** What the provider answered when it had enough, and until when it wants us to stay away. */
  private away: { status: number | null; until: number } = { status: null, until: 0 };

  constructor(
    private readonly perSecond: number,
    private readonly clock: Clock = REAL,
  ) {}

  /**
   * Sends a request when its turn comes. 429, and every `Retry-After` that is waited for, keeps all requests of the account
   * back; a retryable failure is tried again, then thrown. Throws {@link NotWelcome}, with the time that is left, instead of
   * waiting for longer than `patienceMs`. Rejects when `signal` is aborted while it waits.
   */
  async ask<Answer>(
    request: () => Promise<Answer>,
    signal: AbortSignal,
    { attempts, patienceMs }: Persistence = INSIST,
  ): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1) {
      await this.turn(signal, patienceMs);
      try {
        return await request();
      } catch (error) {
        if (!(error instanceof ProviderError) || !error.retryable) throw error;
        const waitMs = error.retryAfterMs ?? FIRST_WAIT_MS * 2 ** (attempt - 1);
        const isHeldBack = this.heed(error, waitMs);
        if (attempt >= attempts || waitMs > patienceMs) throw error;
        if (!isHeldBack) await this.clock.sleep(waitMs, signal);
      }
    }
  }

  private async turn(signal: AbortSignal, patienceMs: number): Promise<void> {
    await this.welcome(signal, patienceMs);
    const now = this.clock.now();
    const at = Math.max(now - BURST_MS, this.nextAt);
    this.nextAt = at + 1000 / this.perSecond;
    if (at > now) await this.clock.sleep(at - now, signal);
    // Another request may have been told to stay away meanwhile.
    await this.welcome(signal, patienceMs);
    signal.throwIfAborted();
  }

  /** Resolves when the provider has nothing against requests any more. */
  private async welcome(signal: AbortSignal, patienceMs: number): Promise<void> {
    const { clock } = this;
    for (let leftMs = this.away.until - clock.now(); leftMs > 0; leftMs = this.away.until - clock.now()) {
      if (leftMs > patienceMs) throw new NotWelcome(this.away.status, true, undefined, leftMs);
      await clock.sleep(leftMs, signal);
    }
  }

  /** Whether all requests of the account are kept back now. */
  private heed({ status, retryAfterMs }: ProviderError, waitMs: number): boolean {
    if (status !== 429 && retryAfterMs === null) return false;
    const until = this.clock.now() + waitMs;
    if (until > this.away.until) this.away = { status, until };
    return true;
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
