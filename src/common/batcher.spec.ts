import { describe, expect, it } from 'vitest';
import { Batcher } from './batcher.js';

/** Batches as they ran; each takes until `finish` is called. */
function recorded(limits: ConstructorParameters<typeof Batcher<number, number>>[1]) {
  const batches: number[][] = [];
  const open: (() => void)[] = [];
  const batcher = new Batcher<number, number>(async (items) => {
    batches.push(items);
    await new Promise<void>((resolve) => open.push(resolve));
    return items.map((item) => item * 10);
  }, limits);
  return { batcher, batches, finish: () => open.shift()?.() };
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('Batcher', () => {
  it('runs an item at once when idle, and those that arrive meanwhile together', async () => {
    const { batcher, batches, finish } = recorded({ maxItems: 10, concurrency: 1 });
    const first = batcher.add(1);
    await turn();
    const rest = [2, 3, 4].map((item) => batcher.add(item));
    await turn();
    expect(batches).toEqual([[1]]);
    finish();
    expect(await first).toBe(10);
    await turn();
    expect(batches).toEqual([[1], [2, 3, 4]]);
    finish();
    expect(await Promise.all(rest)).toEqual([20, 30, 40]);
  });

  it('waits gatherMs between batches while items wait', async () => {
    const { batcher, batches, finish } = recorded({ maxItems: 10, concurrency: 1, gatherMs: 20 });
    const first = batcher.add(1);
    await turn();
    const second = batcher.add(2);
    await turn();
    finish();
    await first;
    const third = batcher.add(3);
    await turn();
    expect(batches).toEqual([[1]]);
    await expect.poll(() => batches).toEqual([[1], [2, 3]]);
    finish();
    expect(await Promise.all([second, third])).toEqual([20, 30]);
  });

  it('does not wait if the next batch is full already', async () => {
    const { batcher, batches, finish } = recorded({ maxItems: 2, concurrency: 1, gatherMs: 60_000 });
    const all = [1, 2, 3, 4].map((item) => batcher.add(item));
    await turn();
    finish();
    await turn();
    await turn();
    expect(batches).toEqual([
      [1, 2],
      [3, 4],
    ]);
    finish();
    expect(await Promise.all(all)).toEqual([10, 20, 30, 40]);
  });

  it('rejects every item of a failed batch, and goes on', async () => {
    let fails = true;
    const batcher = new Batcher<number, number>(
      async (items) => {
        if (fails) throw new Error('away');
        return items;
      },
      { maxItems: 10, concurrency: 1 },
    );
    const lost = await Promise.allSettled([batcher.add(1), batcher.add(2)]);
    expect(lost.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    fails = false;
    expect(await batcher.add(3)).toBe(3);
  });

  it('limits a batch by weight, and runs an item that exceeds the limit alone', async () => {
    const { batcher, batches, finish } = recorded({
      maxItems: 10,
      concurrency: 1,
      maxWeight: 5,
      weightOf: (item) => item,
    });
    const all = [9, 2, 3, 1].map((item) => batcher.add(item));
    for (let done = 0; done < 3; done += 1) {
      await turn();
      finish();
      await turn();
    }
    expect(batches).toEqual([[9], [2, 3], [1]]);
    await Promise.all(all);
  });
});
