// Limits requests per second and account, over all processes. They share a counter in Postgres per time window (by Postgres's
// clock) and take from it in blocks, so that a busy account costs four statements a second.
import type { Database } from '../../database/database.js';
import type { Clock } from '../../common/clock.js';

export interface RequestBudget {
  /** Resolves when a request of the account may be sent. Rejects if `signal` is aborted while waiting. */
  take(accountId: string, signal: AbortSignal): Promise<void>;
}

/** Blocks per window. */
const BLOCKS = 4;
/** Unused time that may be used at once, milliseconds. */
const BURST_MS = 250;
const LONGEST_WINDOW_S = 10;
/** Accounts in the cache; beyond that it is emptied, which costs each account a statement. */
const MAX_ACCOUNTS = 10_000;

/** A rate as a whole number of requests in whole seconds: 2.5 a second are 5 in 2 seconds. */
export function windowOf(perSecond: number): { points: number; seconds: number } {
  for (let seconds = 1; seconds <= LONGEST_WINDOW_S; seconds += 1) {
    const points = perSecond * seconds;
    if (points >= 1 && Math.abs(points - Math.round(points)) < 1e-9) return { points: Math.round(points), seconds };
  }
  return { points: Math.max(1, Math.floor(perSecond * LONGEST_WINDOW_S)), seconds: LONGEST_WINDOW_S };
}

/** Milliseconds. */
const NOW = '(extract(epoch from now()) * 1000)::bigint';
// Also true for a window that ends implausibly late, because a clock was set back.
const IS_OVER = `b.expire not between ${NOW} + 1 and ${NOW} + 2 * $3`;
/** `taken`: requests taken from the current window, including this block. */
const TAKE = `
insert into provider_budgets as b (key, points, expire) values ($1, $2, ${NOW} + $3)
on conflict (key) do update set
  points = case when ${IS_OVER} then $2 else b.points + $2 end,
  expire = case when ${IS_OVER} then ${NOW} + $3 else b.expire end
returning points as taken, (expire - ${NOW})::float8 as "leftMs"`;

interface Taken {
  taken: number;
  leftMs: number;
}

interface Account {
  /** Requests that this process may still send before `until`, epoch milliseconds. */
  left: number;
  until: number;
  /** When the next request may be sent, so that they are spread over the window. */
  nextAt: number;
  /** Requests take their turn in order of arrival. */
  queue: Promise<void>;
}

export class SharedBudget implements RequestBudget {
  private readonly accounts = new Map<string, Account>();
  private readonly points: number;
  private readonly block: number;
  private readonly windowMs: number;

  constructor(
    private readonly database: Database,
    private readonly perSecond: number,
    private readonly clock: Clock,
  ) {
    const { points, seconds } = windowOf(perSecond);
    this.points = points;
    this.block = Math.ceil(points / BLOCKS);
    this.windowMs = seconds * 1000;
  }

  take(accountId: string, signal: AbortSignal): Promise<void> {
    const account = this.account(accountId);
    const mine = account.queue.then(() => this.takeInTurn(accountId, account, signal));
    account.queue = mine.catch(() => undefined);
    return mine;
  }

  private account(accountId: string): Account {
    const known = this.accounts.get(accountId);
    if (known !== undefined) return known;
    if (this.accounts.size >= MAX_ACCOUNTS) this.accounts.clear();
    const account = { left: 0, until: 0, nextAt: 0, queue: Promise.resolve() };
    this.accounts.set(accountId, account);
    return account;
  }

  private async takeInTurn(accountId: string, account: Account, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    while (account.left === 0 || account.until <= this.clock.now()) {
      const { left, msBeforeNext } = await this.reserve(accountId);
      account.left = left;
      account.until = this.clock.now() + msBeforeNext;
      if (left === 0) await this.clock.sleep(msBeforeNext, signal);
    }
    account.left -= 1;
    const now = this.clock.now();
    const at = Math.max(now - BURST_MS, account.nextAt);
    account.nextAt = at + 1000 / this.perSecond;
    if (at > now) await this.clock.sleep(at - now, signal);
  }

  /** Takes a block from the current window, or what is left of it. */
  private async reserve(accountId: string): Promise<{ left: number; msBeforeNext: number }> {
    const values = [accountId, this.block, this.windowMs];
    const [row] = await this.database.once<Taken>('all', { name: 'take_budget', text: TAKE, values });
    const { taken, leftMs } = row as Taken;
    const left = Math.max(0, Math.min(this.block, this.points - (taken - this.block)));
    return { left, msBeforeNext: Math.max(1, leftMs) };
  }
}
