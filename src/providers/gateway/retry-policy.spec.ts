import { describe, expect, it } from 'vitest';
import { ProviderError } from '../provider.js';
import { retryWait } from './retry-policy.js';

const failure = (status: number | null, retryAfterMs: number | null = null): ProviderError =>
  new ProviderError(status, true, undefined, retryAfterMs);
const [least, half, most] = [() => 0, () => 0.5, () => 1];

describe('the wait before the next attempt', () => {
  it('is Retry-After, whatever the status and the attempt', () => {
    for (const status of [429, 503]) expect(retryWait(failure(status, 7_000), 5, least)).toBe(7_000);
  });

  it('is random up to a limit that doubles, at most half a minute', () => {
    const waits = (random: () => number) => [1, 2, 3, 6, 9].map((attempt) => retryWait(failure(503), attempt, random));
    expect(waits(most)).toEqual([1_000, 2_000, 4_000, 30_000, 30_000]);
    expect(waits(half)).toEqual([500, 1_000, 2_000, 15_000, 15_000]);
    expect(waits(least)).toEqual([50, 50, 50, 50, 50]);
  });

  it('is the whole limit after a 429, because all requests of the account wait for it together', () => {
    expect([1, 2, 3].map((attempt) => retryWait(failure(429), attempt, least))).toEqual([1_000, 2_000, 4_000]);
  });
});
