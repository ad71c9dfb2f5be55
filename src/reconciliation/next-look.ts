// When an account's list is looked at again. Pure.

/** The longest pause after failures, unless the interval itself is longer or the provider asked for more. */
const LONGEST_PAUSE_MS = 300_000;
/** Looks are spread by so much of their interval in either direction, so that accounts that began together do not stay together. */
const SPREAD = 0.1;

interface Look {
  /** The interval that is set, seconds. */
  everySeconds: number;
  /** Looks in a row, this one included, at which the provider did not answer. */
  failures: number;
  /** How long the provider wants us to stay away, milliseconds; null: it did not say. */
  retryAfterMs: number | null;
}

/** Milliseconds from the beginning of a look to the next one; `random` is from 0 to below 1. */
export function nextLookMs({ everySeconds, failures, retryAfterMs }: Look, random: number): number {
  const everyMs = everySeconds * 1000;
  const pauseMs = Math.min(everyMs * 2 ** failures, Math.max(everyMs, LONGEST_PAUSE_MS));
  const spreadMs = pauseMs * (1 - SPREAD + 2 * SPREAD * random);
  // Never before the time that the provider named.
  return Math.round(Math.max(spreadMs, (retryAfterMs ?? 0) * (1 + SPREAD * random)));
}
