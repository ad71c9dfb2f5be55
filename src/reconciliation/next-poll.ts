// When an account is polled next. Pure.

/** Longest pause after failures, unless the interval or the provider's `Retry-After` is longer. */
const LONGEST_PAUSE_MS = 300_000;
/** Polls are shifted by up to this share of their interval in either direction, so that accounts that began together drift apart. */
const SPREAD = 0.1;

interface Poll {
  /** The configured interval, seconds. */
  everySeconds: number;
  /** Consecutive polls, including this one, that failed. */
  failures: number;
  /** `Retry-After`, milliseconds; null: the provider named none. */
  retryAfterMs: number | null;
}

/** Milliseconds from the start of a poll to the next one; `random` is from 0 to below 1. */
export function nextPollMs({ everySeconds, failures, retryAfterMs }: Poll, random: number): number {
  const everyMs = everySeconds * 1000;
  const pauseMs = Math.min(everyMs * 2 ** failures, Math.max(everyMs, LONGEST_PAUSE_MS));
  const spreadMs = pauseMs * (1 - SPREAD + 2 * SPREAD * random);
  // Never before the time that the provider named.
  return Math.round(Math.max(spreadMs, (retryAfterMs ?? 0) * (1 + SPREAD * random)));
}
