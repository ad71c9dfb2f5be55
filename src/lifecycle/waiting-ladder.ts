// When what is waited for is tried again. Pure: the time that has passed decides nothing, so that a repetition is harmless.

/** The first step, milliseconds: most things come within seconds. */
const FIRST_MS = 1_000;
/** No step is longer than this share of the whole wait: what comes late is not found out much later. */
const LONGEST_SHARE = 1 / 8;
/** The longest step where nobody knows how long the wait is, milliseconds. */
const UNBOUNDED_MS = 3_600_000;
/** Steps are up to so much longer by chance: what ended together does not ask together for ever. */
const JITTER = 0.25;
const LEAST_MS = 250;

export interface Wait {
  /** How often it was tried, this time included. */
  tries: number;
  /** The whole wait: its begin and its deadline, epoch milliseconds. */
  startedAt: number;
  dueAt: number;
  /** Epoch milliseconds. */
  now: number;
  /** Milliseconds that the provider wants us to stay away. */
  awayMs?: number;
}

/**
 * Milliseconds until the next try, never after the deadline. Each step is twice as long as the last, up to an eighth of the
 * wait: at most about 25 tries, whether the wait is half an hour or a day.
 */
export function nextTry(
  { tries, startedAt, dueAt, now, awayMs = 0 }: Wait,
  random: () => number = Math.random,
): number {
  const longest = Number.isFinite(dueAt) ? Math.max(FIRST_MS, (dueAt - startedAt) * LONGEST_SHARE) : UNBOUNDED_MS;
  const step = Math.min(FIRST_MS * 2 ** (tries - 1), longest) * (1 + JITTER * random());
  return Math.max(LEAST_MS, Math.min(Math.max(step, awayMs), dueAt - now));
}
