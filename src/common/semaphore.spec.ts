import { describe, expect, it } from 'vitest';
import { Semaphore } from './semaphore.js';

describe('Semaphore', () => {
  it('runs so many at once, in order, and goes on after a failure', async () => {
    const semaphore = new Semaphore(2);
    const begun: number[] = [];
    const ends: (() => void)[] = [];
    const work = (name: number) =>
      semaphore.run(async () => {
        begun.push(name);
        await new Promise<void>((resolve) => ends.push(resolve));
        if (name === 0) throw new Error('failed');
        return name;
      });
    const all = [0, 1, 2, 3].map(work);
    const outcomes = Promise.allSettled(all);
    expect(begun).toEqual([0, 1]);
    ends[0]?.();
    await expect(all[0]).rejects.toThrow('failed');
    expect(begun).toEqual([0, 1, 2]);
    for (const at of [1, 2]) ends[at]?.();
    await all[1];
    await all[2];
    expect(begun).toEqual([0, 1, 2, 3]);
    ends[3]?.();
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
  });
});
