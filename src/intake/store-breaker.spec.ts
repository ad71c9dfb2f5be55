import { describe, expect, it } from 'vitest';
import { StoreBreaker } from './store-breaker.js';

/** A breaker with its own clock; `fail` makes attempts fail one after the other, each as soon as it is admitted. */
function broken() {
  const clock = { now: 1_760_000_000_000 };
  const breaker = new StoreBreaker(() => clock.now);
  /** Advances the clock until an attempt is admitted; returns the milliseconds. */
  const pause = (): number => {
    const from = clock.now;
    while (!breaker.admit()) clock.now += 1;
    return clock.now - from;
  };
  const fail = (times: number): number[] =>
    Array.from({ length: times }, () => {
      const waited = pause();
      breaker.failed();
      return waited;
    });
  return { breaker, clock, fail, pause };
}

describe('StoreBreaker', () => {
  it('tolerates three failures in a row, then doubles the pause after each, up to a minute', () => {
    const { fail } = broken();
    expect(fail(11)).toEqual([0, 0, 0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  });

  it('starts over after a success', () => {
    const { breaker, fail } = broken();
    fail(2);
    breaker.succeeded();
    expect(fail(4)).toEqual([0, 0, 0, 1_000]);
  });

  it('admits any number while closed, and one at a time once open', () => {
    const { breaker, clock, fail } = broken();
    expect([breaker.admit(), breaker.admit(), breaker.admit()]).toEqual([true, true, true]);
    fail(3);
    expect(breaker.admit()).toBe(false);
    clock.now += 1_000;
    expect([breaker.admit(), breaker.admit()]).toEqual([true, false]);
    breaker.succeeded();
    expect([breaker.admit(), breaker.admit()]).toEqual([true, true]);
  });

  it('admits another attempt if the first had nothing to store', () => {
    const { breaker, fail, pause } = broken();
    fail(3);
    pause();
    expect(breaker.admit()).toBe(false);
    breaker.unused();
    expect(breaker.admit()).toBe(true);
  });
});
