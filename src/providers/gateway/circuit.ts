// The circuit breaker of an account: after some consecutive outages only single trial requests are sent. Pure; times are epoch
// milliseconds.
import type { ProviderError } from '../provider.js';

export interface Circuit {
  state: 'closed' | 'open';
  /** Closed: consecutive outages. */
  failures: number;
  /** Open: how often it has opened in a row. */
  openings: number;
  /** Open: when a trial may be sent. */
  retryAt: number;
  /** Open: HTTP status of the last outage; null: the provider was not reached. */
  status: number | null;
}

export const CLOSED: Circuit = { state: 'closed', failures: 0, openings: 0, retryAt: 0, status: null };

/** This many consecutive outages open it. */
export const OPENS_AT = 5;
/** Pause before the first trial; doubles with every failed one. */
const FIRST_MS = 2_000;
const LONGEST_MS = 60_000;
/** After this time another trial may be sent even without a result (a worker was killed); longer than any request takes. */
export const TRIAL_MS = 30_000;

/**
 * Whether a failure concerns the whole account: the provider cannot be reached, fails, is too slow or refuses our credentials. An
 * address that our own rules refuse is no outage.
 */
export const isOutage = ({ status, retryable }: Pick<ProviderError, 'status' | 'retryable'>): boolean =>
  (status === null && retryable) || (status !== null && isAway(status));

const isAway = (status: number): boolean => status >= 500 || status === 408 || status === 401 || status === 403;

/** The circuit after any answer. */
export const afterAnswer = (): Circuit => CLOSED;

/** The circuit after an outage; if it was open, after that of a trial. */
export function afterOutage(circuit: Circuit, status: number | null, now: number, random: () => number): Circuit {
  const failures = circuit.failures + 1;
  if (circuit.state === 'closed' && failures < OPENS_AT) return { ...circuit, failures };
  const openings = circuit.openings + 1;
  return { state: 'open', failures: 0, openings, retryAt: now + waitAfter(openings, random), status };
}

/** Half of it at random, so that accounts of one provider that failed together do not all return at once. */
function waitAfter(openings: number, random: () => number): number {
  const limit = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(openings - 1, 10));
  return Math.round((limit / 2) * (1 + random()));
}

/** What a request may do now: go, go as the single trial, or wait until a time. */
export function admission(circuit: Circuit, now: number): 'go' | 'trial' | { until: number } {
  if (circuit.state === 'closed') return 'go';
  return circuit.retryAt <= now ? 'trial' : { until: circuit.retryAt };
}
