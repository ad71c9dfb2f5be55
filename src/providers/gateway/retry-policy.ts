// Retry policies of requests to providers: how often a request is tried, and how long it waits. Pure.
import { ProviderError } from '../provider.js';

export interface RetryPolicy {
  attempts: number;
  /** The longest wait, milliseconds; if the provider demands a longer one, the request fails and the caller waits. */
  patienceMs: number;
}

/** For walks, which cannot continue without the result. */
export const PATIENT: RetryPolicy = { attempts: 6, patienceMs: 30_000 };
export const PATIENT_ONCE: RetryPolicy = { ...PATIENT, attempts: 1 };
/** For activities: Temporal does the long waits, survives restarts and shows them. */
export const QUICK: RetryPolicy = { attempts: 1, patienceMs: 2_000 };
/** For requests that have little time and are repeated soon anyway. */
export const NO_WAIT: RetryPolicy = { attempts: 1, patienceMs: 0 };

/** The request was not sent, because the account is on hold: a `Retry-After` has not passed, or its circuit is open. */
export class AccountOnHold extends ProviderError {}

/** The request was not sent, because too many requests to the account are under way. */
export class NoFreeSlot extends ProviderError {
  constructor(retryAfterMs: number) {
    super(null, true, undefined, retryAfterMs);
    this.message = 'too many requests to the account are under way';
  }

  override get problem(): string {
    return 'too_many_requests_under_way';
  }
}

/** Pause if the provider sends no `Retry-After`, milliseconds; doubles with every attempt. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;
const LEAST_WAIT_MS = 50;

/** Milliseconds before the next attempt (`attempt` from 1): `Retry-After`, else random up to a growing limit. */
export function retryWait(error: ProviderError, attempt: number, random: () => number): number {
  const isRateLimited = error.status === 429;
  // A 429 with no time, or one that has passed by our clock, must not be retried at once.
  if (error.retryAfterMs !== null && (error.retryAfterMs > 0 || !isRateLimited)) return error.retryAfterMs;
  const limit = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1));
  // After a 429 all requests of the account wait for the same time, so jitter would spread nothing.
  if (isRateLimited) return limit;
  return Math.max(LEAST_WAIT_MS, Math.round(limit * random()));
}

/** Whether the wait applies to all requests of the account, not just to this one. */
export const concernsAccount = ({ status, retryAfterMs }: ProviderError): boolean =>
  status === 429 || retryAfterMs !== null;
