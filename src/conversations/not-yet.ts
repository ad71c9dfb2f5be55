/** What is waited for is not there, and its deadline has not come. The message says what, without content. */
export class NotYet extends Error {
  constructor(
    what: string,
    readonly retryInMs: number,
  ) {
    super(`waiting for ${what}`);
    this.name = 'NotYet';
  }
}

/** Milliseconds until the next try: quick at first, since most things come within seconds, then patient. */
const LADDER_MS = [1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000];

/** When to try again after the `attempt`-th try (from 1), but not after the deadline (epoch ms). */
export function nextTry(attempt: number, dueAt: number, now: number): number {
  const step = LADDER_MS[Math.min(attempt, LADDER_MS.length) - 1] ?? 1_000;
  return Math.max(250, Math.min(step, dueAt - now));
}
