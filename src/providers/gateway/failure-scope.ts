// Decides whether a failed request concerns one conversation, so that a walk can skip it, or the whole account. Pure.
import type { ProviderError } from '../provider.js';
import { PATIENT, AccountOnHold } from './retry-policy.js';

export type FailureScope = 'conversation' | 'account' | 'unclear';

/** Result of requesting another conversation of the account. `unasked`: there is none, or the request could not be sent. */
export type ProbeResult = 'answered' | 'failed' | 'unasked';

/** Refused credentials and rate limits concern every conversation of the account. */
const OF_THE_ACCOUNT = new Set<number | null>([401, 403, 429]);
/** If no other conversation can be requested, one is skipped from this attempt of the activity on: after about three minutes. */
const ATTEMPTS_BEFORE_SKIP = 5;

/** What a failure concerns, after all tries of a request have failed. */
export function scopeOf(error: ProviderError): FailureScope {
  // During a long Retry-After nothing of the account may be requested, not even a probe.
  const isOnHold = error instanceof AccountOnHold || (error.retryAfterMs ?? 0) > PATIENT.patienceMs;
  const isAddressRefused = error.problem === 'address_not_allowed';
  if (isOnHold || isAddressRefused || OF_THE_ACCOUNT.has(error.status)) return 'account';
  return error.retryable ? 'unclear' : 'conversation';
}

/** For an unclear failure: a conversation is skipped if another one is answered; while all fail, the walk waits. */
export const maySkip = (probe: ProbeResult, attempt: number): boolean =>
  probe === 'answered' || (probe === 'unasked' && attempt >= ATTEMPTS_BEFORE_SKIP);
