import { describe, expect, it } from 'vitest';
import type { WaitingCandidate } from '../inbox/candidates.js';
import { ClaimCursor } from './claim-cursor.js';

const candidate = (n: number): WaitingCandidate => ({
  provider_account_id: 'account',
  identity_hash: Buffer.of(n),
  bytes: 1_000,
  rank: n + 1,
});
const numbers = (batch: WaitingCandidate[]): number[] => batch.map(({ identity_hash }) => identity_hash[0] ?? -1);

/** A cursor with two loops, whose queries find `found` one after the other, the last one again and again. */
function cursorOver(...found: number[][]) {
  let queries = 0;
  let scattered = 0;
  const source = {
    next: async (): Promise<WaitingCandidate[]> => {
      queries += 1;
      return (found[Math.min(queries, found.length) - 1] ?? []).map(candidate);
    },
    get hasMore() {
      return queries < found.length;
    },
    scatter: () => void (scattered += 1),
  };
  return { cursor: new ClaimCursor(source, 2), queries: () => queries, scattered: () => scattered };
}

describe('ClaimCursor', () => {
  it('distributes conversations in order, with one query', async () => {
    const { cursor, queries } = cursorOver([1, 2, 3, 4, 5, 6]);
    const [first, second] = await Promise.all([cursor.claim(), cursor.claim()]);
    expect([numbers(first), numbers(second)]).toEqual([
      [1, 2, 3, 4],
      [5, 6],
    ]);
    expect(queries()).toBe(1);
  });

  it('never gives a conversation to two loops, even if another fact of it waits', async () => {
    const { cursor } = cursorOver([1]);
    const batch = await cursor.claim();
    expect(numbers(batch)).toEqual([1]);
    expect(await cursor.claim()).toEqual([]);
    cursor.release(batch, 1);
    expect(numbers(await cursor.claim())).toEqual([1]);
  });

  it('knows whether conversations are left', async () => {
    const { cursor } = cursorOver(Array.from({ length: 20 }, (_, n) => n));
    expect(cursor.hasMore).toBe(false);
    expect(await cursor.claim()).toHaveLength(8);
    expect(cursor.hasMore).toBe(true);
  });

  it('continues while all conversations found are claimed', async () => {
    const { cursor, queries } = cursorOver([1], [1], [1, 2]);
    await cursor.claim();
    expect(numbers(await cursor.claim())).toEqual([2]);
    expect(queries()).toBe(3);
  });

  it('scatters when another worker has what was found', async () => {
    const { cursor, scattered } = cursorOver([1], [2]);
    cursor.release(await cursor.claim(), 0);
    expect(scattered()).toBe(1);
    cursor.release(await cursor.claim(), 1);
    expect(scattered()).toBe(1);
  });

  it('queries again after a failed query', async () => {
    let isAway = true;
    const next = async (): Promise<WaitingCandidate[]> => {
      if (isAway) throw new Error('away');
      return [candidate(1)];
    };
    const cursor = new ClaimCursor({ next, hasMore: false, scatter: () => undefined }, 2);
    await expect(cursor.claim()).rejects.toThrow('away');
    isAway = false;
    expect(numbers(await cursor.claim())).toEqual([1]);
  });
});
