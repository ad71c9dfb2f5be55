import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextTryMs } from './retry-schedule.js';

const NOW = 1_760_000_000_000;
const HOUR_MS = 3_600_000;
const never = () => 0;

/** Number of tries, from the end to the deadline, for something that never comes. */
function triesOf(waitMs: number, random: () => number): number {
  const dueAt = NOW + waitMs;
  let [now, tries] = [NOW, 1];
  while (now < dueAt) {
    now += nextTryMs({ tries, startedAt: NOW, dueAt, now }, random);
    tries += 1;
  }
  return tries;
}

describe('nextTryMs', () => {
  const first = { startedAt: NOW, dueAt: NOW + 24 * HOUR_MS, now: NOW };

  it('doubles the pause each time, up to an eighth of the wait', () => {
    const waits = Array.from({ length: 16 }, (_, index) => nextTryMs({ ...first, tries: index + 1 }, never) / 1000);
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 10_800, 10_800]);
  });

  it.each([
    ['24 hours', 24, 22],
    ['1 hour', 1, 18],
    ['30 minutes', 0.5, 17],
  ])('tries at most 25 times what never comes within %s', (_, hours, most) => {
    expect(triesOf(hours * HOUR_MS, never)).toBeLessThanOrEqual(most);
    expect(triesOf(hours * HOUR_MS, never)).toBeGreaterThan(10);
  });

  it('never tries more than 28 times, whatever the deadline and the jitter', () => {
    const wait = fc.integer({ min: 1_000, max: 30 * 24 * HOUR_MS });
    const chances = fc.float({ min: 0, max: 1, noNaN: true });
    fc.assert(fc.property(wait, chances, (ms, chance) => triesOf(ms, () => chance) <= 28));
  });

  it('adds at most a quarter at random, and never passes the deadline', () => {
    expect(nextTryMs({ ...first, tries: 4 }, () => 1)).toBe(10_000);
    expect(nextTryMs({ startedAt: NOW, dueAt: NOW + 1_234, now: NOW, tries: 8 }, () => 1)).toBe(1_234);
  });

  it('respects Retry-After, but not past the deadline', () => {
    expect(nextTryMs({ ...first, tries: 1, awayMs: 90_000 }, never)).toBe(90_000);
    expect(nextTryMs({ startedAt: NOW, dueAt: NOW + 5_000, now: NOW, tries: 1, awayMs: 90_000 }, never)).toBe(5_000);
  });

  it('is soon, but not at once, after the deadline', () => {
    expect(nextTryMs({ startedAt: NOW - 2 * HOUR_MS, dueAt: NOW - HOUR_MS, now: NOW, tries: 1 }, never)).toBe(250);
  });

  it('grows up to an hour if there is no deadline', () => {
    const endless = { startedAt: NOW, dueAt: Infinity, now: NOW };
    expect(nextTryMs({ ...endless, tries: 3 }, never)).toBe(4_000);
    expect(nextTryMs({ ...endless, tries: 60 }, never)).toBe(HOUR_MS);
  });
});
