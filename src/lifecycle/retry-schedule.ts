// When to ask again for something that has not come yet. Pure: depends on the number of tries, not on the time that has passed,
// so that a repeated attempt changes nothing.

/** First pause, milliseconds: most parts arrive within seconds. */
const FIRST_MS = 1_000;
/** No pause is longer than this share of the whole wait, so that a late part is noticed soon. */
const LONGEST_SHARE = 1 / 8;
/** Longest pause if there is no deadline, milliseconds. */
const UNBOUNDED_MS = 3_600_000;
/** Pauses are up to this share longer at random, so that conversations that ended together drift apart. */
const JITTER = 0.25;
const LEAST_MS = 250;

export interface Wait {
  /** Number of tries so far, including this one. */
  tries: number;
  /** Start and deadline of the whole wait, epoch milliseconds. */
  startedAt: number;
  dueAt: number;
  /** Epoch milliseconds. */
  now: number;
  /** `Retry-After`, milliseconds. */
  awayMs?: number;
}

/**
 * Milliseconds until the next try, never past the deadline. Each pause is twice as long as the last, up to an eighth of the
 * wait: at most about 25 tries, whether the wait is half an hour or a day.
 */
export function nextTryMs(
  { tries, startedAt, dueAt, now, awayMs = 0 }: Wait,
  random: () => number = Math.random,
): number {
  const longest = Number.isFinite(dueAt) ? Math.max(FIRST_MS, (dueAt - startedAt) * LONGEST_SHARE) : UNBOUNDED_MS;
  const step = Math.min(FIRST_MS * 2 ** (tries - 1), longest) * (1 + JITTER * random());
  return Math.max(LEAST_MS, Math.min(Math.max(step, awayMs), dueAt - now));
}
