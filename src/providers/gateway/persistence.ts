// What a request is worth: how often it is tried, and how long it waits for its turn. Pure.
import { ProviderError } from '../provider.js';

export interface Persistence {
  attempts: number;
  /** The longest wait, milliseconds, for a provider that wants us to stay away: a longer one is the caller's. */
  patienceMs: number;
}

/** For what a walk cannot go on without. */
export const INSIST: Persistence = { attempts: 6, patienceMs: 30_000 };
export const ONCE: Persistence = { ...INSIST, attempts: 1 };
/** For workflows, which wait better than a process does, and show it. */
export const SOON: Persistence = { attempts: 1, patienceMs: 2_000 };
/** For what is asked again soon in any case, and has little time. */
export const NOW_OR_NOT: Persistence = { attempts: 1, patienceMs: 0 };

/** The request was not sent: the provider wants us to stay away, or does not answer, and did not mean this request. */
export class NotWelcome extends ProviderError {}

/** The request was not sent: too many of the account are under way. */
export class TooManyUnderWay extends ProviderError {
  constructor(retryAfterMs: number) {
    super(null, true, undefined, retryAfterMs);
    this.message = 'too many requests to the account are under way';
  }

  override get problem(): string {
    return 'too_many_requests_under_way';
  }
}

/** Where the provider does not say how long to stay away, milliseconds; doubles with every attempt. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;
const LEAST_WAIT_MS = 50;

/** Milliseconds before the next attempt (`attempt` from 1): what the provider says, else by chance up to a growing limit. */
export function retryWait(error: ProviderError, attempt: number, random: () => number): number {
  const isEnough = error.status === 429;
  // One that has had enough and names no time, or one that is over by our clock, does not want to be asked at once.
  if (error.retryAfterMs !== null && (error.retryAfterMs > 0 || !isEnough)) return error.retryAfterMs;
  const limit = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1));
  // All requests of the account wait for it together: chance would spread nothing.
  if (isEnough) return limit;
  return Math.max(LEAST_WAIT_MS, Math.round(limit * random()));
}

/** Whether all requests of the account are to stay away for that time, not this one alone. */
export const concernsAccount = ({ status, retryAfterMs }: ProviderError): boolean =>
  status === 429 || retryAfterMs !== null;
