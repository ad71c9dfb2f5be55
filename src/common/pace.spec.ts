import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Pace } from './pace.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Milliseconds at which it was done, by `count` callers at once. */
async function timesOf(pace: Pace, count: number, undo: (nth: number) => boolean = () => false): Promise<number[]> {
  const from = performance.now();
  const times: number[] = [];
  const all = Array.from({ length: count }, async (_, nth) => {
    await pace.take();
    if (undo(nth)) pace.giveBack();
    else times.push(performance.now() - from);
  });
  const done = Promise.all(all);
  await vi.advanceTimersByTimeAsync(60_000);
  await done;
  return times;
}

describe('Pace', () => {
  it('lets no more through in any second, and hardly less', async () => {
    const times = await timesOf(new Pace(20), 100);
    for (const from of times)
      expect(times.filter((at) => at >= from && at < from + 1_000).length).toBeLessThanOrEqual(20);
    expect(Math.max(...times)).toBeLessThan(6_500);
  });

  it('does not count what was given back', async () => {
    const times = await timesOf(new Pace(20), 1_000, (nth) => nth >= 4);
    expect(times).toHaveLength(4);
    expect(Math.max(...times)).toBe(0);
  });

  it('does not save up what was not used', async () => {
    const pace = new Pace(20);
    await vi.advanceTimersByTimeAsync(3_600_000);
    const times = await timesOf(pace, 100);
    expect(times.filter((at) => at < 1_000).length).toBeLessThanOrEqual(20);
  });
});
