import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextPollMs } from './next-poll.js';

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const seconds = fc.integer({ min: 2, max: 86_400 });
const answered = { failures: 0, retryAfterMs: null };

describe('the next poll', () => {
  it('comes one interval after the last, give or take a tenth', () => {
    fc.assert(
      fc.property(seconds, random, (everySeconds, drawn) => {
        const ms = nextPollMs({ ...answered, everySeconds }, drawn);
        expect(ms).toBeGreaterThanOrEqual(everySeconds * 900);
        expect(ms).toBeLessThanOrEqual(everySeconds * 1_100);
      }),
    );
  });

  it('is spread over that range', () => {
    expect(nextPollMs({ ...answered, everySeconds: 10 }, 0)).toBe(9_000);
    expect(nextPollMs({ ...answered, everySeconds: 10 }, 0.5)).toBe(10_000);
  });

  it('comes later with every failure in a row, up to five minutes', () => {
    const after = (failures: number): number => nextPollMs({ everySeconds: 2, failures, retryAfterMs: null }, 0.5);
    expect([0, 1, 2, 3, 7, 8, 40, 1_100].map(after)).toEqual([
      2_000, 4_000, 8_000, 16_000, 256_000, 300_000, 300_000, 300_000,
    ]);
  });

  it('keeps a long interval even after failures', () => {
    expect(nextPollMs({ everySeconds: 3_600, failures: 9, retryAfterMs: null }, 0.5)).toBe(3_600_000);
  });

  it('never comes before the time that the provider named', () => {
    fc.assert(
      fc.property(seconds, fc.integer({ min: 0, max: 3_600_000 }), random, (everySeconds, retryAfterMs, drawn) => {
        const ms = nextPollMs({ everySeconds, failures: 1, retryAfterMs }, drawn);
        expect(ms).toBeGreaterThanOrEqual(retryAfterMs);
      }),
    );
  });
});
