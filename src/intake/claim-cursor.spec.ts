import { describe, expect, it } from 'vitest';
import type { WaitingCandidate } from '../inbox/candidates.js';
import { ClaimCursor } from './claim-cursor.js';

const candidate = (n: number): WaitingCandidate => ({
  provider_account_id: 'account',
  identity_hash: Buffer.of(n),
  bytes: 1_000,
  turn: n + 1,
});
const numbers = (batch: WaitingCandidate[]): number[] => batch.map(({ identity_hash }) => identity_hash[0] ?? -1);

/** A line of two loops over looks that find, in turn, what `looks` says; the last one again and again. */
function lineOver(...found: number[][]) {
  let looks = 0;
  let scattered = 0;
  const source = {
    look: async (): Promise<WaitingCandidate[]> => {
      looks += 1;
      return (found[Math.min(looks, found.length) - 1] ?? []).map(candidate);
    },
    get hasMore() {
      return looks < found.length;
    },
    scatter: () => void (scattered += 1),
  };
  return { line: new ClaimCursor(source, 2), looks: () => looks, scattered: () => scattered };
}

describe('the line of waiting conversations', () => {
  it('is shared out in the order of the look, with one look', async () => {
    const { line, looks } = lineOver([1, 2, 3, 4, 5, 6]);
    const [first, second] = await Promise.all([line.take(), line.take()]);
    expect([numbers(first), numbers(second)]).toEqual([
      [1, 2, 3, 4],
      [5, 6],
    ]);
    expect(looks()).toBe(1);
  });

  it('never gives one conversation to two loops, also when a new fact of it waits', async () => {
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

  it('looks further while all that is found is taken', async () => {
    const { line, looks } = lineOver([1], [1], [1, 2]);
    await line.take();
    expect(numbers(await line.take())).toEqual([2]);
    expect(looks()).toBe(3);
  });

  it('goes elsewhere when another worker has what was found', async () => {
    const { line, scattered } = lineOver([1], [2]);
    line.giveBack(await line.take(), 0);
    expect(scattered()).toBe(1);
    line.giveBack(await line.take(), 1);
    expect(scattered()).toBe(1);
  });

  it('looks again after a look that failed', async () => {
    let away = true;
    const look = async (): Promise<WaitingCandidate[]> => {
      if (away) throw new Error('away');
      return [candidate(1)];
    };
    const line = new ClaimCursor({ look, hasMore: false, scatter: () => undefined }, 2);
    await expect(line.take()).rejects.toThrow('away');
    away = false;
    expect(numbers(await line.take())).toEqual([1]);
  });
});
