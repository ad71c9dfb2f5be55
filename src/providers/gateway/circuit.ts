// The circuit of an account: after some outages in a row nobody asks but one at a time. Pure; times are epoch milliseconds.
import type { ProviderError } from '../provider.js';

export interface Circuit {
  state: 'closed' | 'open';
  /** Closed: outages in a row. */
  failures: number;
  /** Open: how often in a row it has opened. */
  openings: number;
  /** Open: when one trial may go. */
  retryAt: number;
  /** Open: the HTTP status of the last outage; null: not reached. */
  status: number | null;
}

export const CLOSED: Circuit = { state: 'closed', failures: 0, openings: 0, retryAt: 0, status: null };

/** So many outages in a row open it. */
export const OPENS_AT = 5;
/** Until the first trial; doubles with every one that fails. */
const FIRST_MS = 2_000;
const LONGEST_MS = 60_000;
/** A trial that is never heard of (a worker was killed) is over after this time: longer than any question takes. */
export const TRIAL_MS = 30_000;

/**
 * A provider that cannot be reached, fails, takes too long or refuses our credentials answers nobody of the account. What our
 * own rules refuse (an address) was not asked.
 */
export const isOutage = ({ status, retryable }: Pick<ProviderError, 'status' | 'retryable'>): boolean =>
  (status === null && retryable) || (status !== null && isAway(status));

const isAway = (status: number): boolean => status >= 500 || status === 408 || status === 401 || status === 403;

/** After an answer, whatever it was. */
export const afterAnswer = (): Circuit => CLOSED;

/** After an outage: of a trial when it is open. */
export function afterOutage(circuit: Circuit, status: number | null, now: number, random: () => number): Circuit {
  const failures = circuit.failures + 1;
  if (circuit.state === 'closed' && failures < OPENS_AT) return { ...circuit, failures };
  const openings = circuit.openings + 1;
  return { state: 'open', failures: 0, openings, retryAt: now + waitAfter(openings, random), status };
}

/** Half of it by chance: accounts of one provider that failed together do not all come back together. */
function waitAfter(openings: number, random: () => number): number {
  const limit = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(openings - 1, 10));
  return Math.round((limit / 2) * (1 + random()));
}

/** What a request may do now: go, go as the one trial, or wait until a time. */
export function admission(circuit: Circuit, now: number): 'go' | 'trial' | { until: number } {
  if (circuit.state === 'closed') return 'go';
  return circuit.retryAt <= now ? 'trial' : { until: circuit.retryAt };
}
