import { describe, expect, it } from 'vitest';
import { StoreBreaker } from './store-breaker.js';

/** A breaker on a clock of its own; `fail` lets tries fail one after the other, each as soon as it may begin. */
function broken() {
  const clock = { now: 1_760_000_000_000 };
  const breaker = new StoreBreaker(() => clock.now);
  /** Milliseconds that nothing may begin; the clock then stands where it may. */
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

describe('the breaker before a store of recordings', () => {
  it('lets three failures in a row pass, then waits twice as long after each, a minute at most', () => {
    const { fail } = broken();
    expect(fail(11)).toEqual([0, 0, 0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  });

  it('counts what fails in a row: one success in between, and it starts over', () => {
    const { breaker, fail } = broken();
    fail(2);
    breaker.succeeded();
    expect(fail(4)).toEqual([0, 0, 0, 1_000]);
  });

  it('lets any number begin while it is whole, and one at a time once it is not', () => {
    const { breaker, clock, fail } = broken();
    expect([breaker.admit(), breaker.admit(), breaker.admit()]).toEqual([true, true, true]);
    fail(3);
    expect(breaker.admit()).toBe(false);
    clock.now += 1_000;
    expect([breaker.admit(), breaker.admit()]).toEqual([true, false]);
    breaker.succeeded();
    expect([breaker.admit(), breaker.admit()]).toEqual([true, true]);
  });

  it('gives the place of a try to another one, when there was nothing to store', () => {
    const { breaker, fail, pause } = broken();
    fail(3);
    pause();
    expect(breaker.admit()).toBe(false);
    breaker.withdrawn();
    expect(breaker.admit()).toBe(true);
  });
});
