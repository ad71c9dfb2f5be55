import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HealthProbes } from './probes.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Probes with one dependency, which counts its checks. */
function counted(check: () => Promise<void> = () => Promise.resolve()) {
  const probes = new HealthProbes();
  const seen = { asked: 0 };
  probes.add({
    name: 'postgres',
    code: 'storage_unavailable',
    check: () => {
      seen.asked += 1;
      return check();
    },
  });
  return { probes, seen };
}

describe('HealthProbes', () => {
  it('checks once for all callers within a second', async () => {
    const { probes, seen } = counted();
    await Promise.all(Array.from({ length: 500 }, () => probes.check()));
    await vi.advanceTimersByTimeAsync(900);
    expect((await probes.check()).checks).toEqual({ postgres: 'up' });
    expect(seen.asked).toBe(1);
    await vi.advanceTimersByTimeAsync(200);
    await probes.check();
    expect(seen.asked).toBe(2);
  });

  it('does not check again while a check is pending', async () => {
    const { probes, seen } = counted(() => new Promise(() => undefined));
    const first = probes.check();
    await vi.advanceTimersByTimeAsync(1_900);
    const second = probes.check();
    await vi.advanceTimersByTimeAsync(200);
    expect((await Promise.all([first, second])).map(({ failed }) => failed.length)).toEqual([1, 1]);
    expect(seen.asked).toBe(1);
  });

  it('reports a change within a second', async () => {
    let isAway = false;
    const { probes } = counted(() => (isAway ? Promise.reject(new Error('away')) : Promise.resolve()));
    expect((await probes.check()).failed).toEqual([]);
    isAway = true;
    await vi.advanceTimersByTimeAsync(1_001);
    expect((await probes.check()).checks).toEqual({ postgres: 'down' });
  });
});
