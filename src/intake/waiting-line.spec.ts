import { describe, expect, it } from 'vitest';
import type { WaitingCandidate } from '../inbox/pending.js';
import { WaitingLine } from './waiting-line.js';

const candidate = (n: number): WaitingCandidate => ({
  provider_account_id: 'account',
  identity_hash: Buffer.of(n),
  bytes: 1_000,
});
const numbers = (batch: WaitingCandidate[]): number[] => batch.map(({ identity_hash }) => identity_hash[0] ?? -1);

/** A line of two lanes over what `waiting` holds when it looks. */
function lineOver(waiting: number[]): { line: WaitingLine; looks: () => number } {
  let looks = 0;
  const look = async (): Promise<WaitingCandidate[]> => {
    looks += 1;
    return waiting.map(candidate);
  };
  return { line: new WaitingLine(look, 2), looks: () => looks };
}

describe('the line of waiting conversations', () => {
  it('is shared out, the longest waiting first, with one look', async () => {
    const { line, looks } = lineOver([1, 2, 3, 4, 5, 6]);
    const [first, second] = await Promise.all([line.take(), line.take()]);
    expect([numbers(first), numbers(second)]).toEqual([
      [1, 2, 3, 4],
      [5, 6],
    ]);
    expect(looks()).toBe(1);
  });

  it('never gives one conversation to two lanes, also when a new fact of it waits', async () => {
    const { line } = lineOver([1]);
    const batch = await line.take();
    expect(numbers(batch)).toEqual([1]);
    expect(await line.take()).toEqual([]);
    line.giveBack(batch, 1);
    expect(numbers(await line.take())).toEqual([1]);
  });

  it('says whether more is left than was taken', async () => {
    const { line } = lineOver(Array.from({ length: 20 }, (_, n) => n));
    expect(line.hasMore).toBe(false);
    expect(await line.take()).toHaveLength(8);
    expect(line.hasMore).toBe(true);
  });

  it('looks behind the oldest facts, when those cannot be applied now, and no further than it must', async () => {
    const looks: string[] = [];
    const line = new WaitingLine(async (among) => {
      looks.push(among);
      return among === 'all' ? [candidate(1), candidate(2)] : [candidate(1)];
    }, 2);
    const reserved = await line.take();
    line.giveBack(reserved, 0);
    expect(numbers(await line.take())).toEqual([1, 2]);
    // All that is found is taken: the next look goes behind it, too.
    expect([await line.take(), await line.take()]).toEqual([[], []]);
    expect(looks).toEqual(['oldest', 'all', 'oldest', 'all']);
  });

  it('looks again after a look that failed', async () => {
    let away = true;
    const line = new WaitingLine(async () => {
      if (away) throw new Error('away');
      return [candidate(1)];
    }, 2);
    await expect(line.take()).rejects.toThrow('away');
    away = false;
    expect(numbers(await line.take())).toEqual([1]);
  });
});
