import { describe, expect, it } from 'vitest';
import { batchesOf, byConversation } from './batches.js';
import type { ApplyRequest } from './apply-request.js';

const waiting = (count: number, bytes = 1_000) =>
  Array.from({ length: count }, (_, index) => ({
    provider_account_id: 'account',
    identity_hash: Buffer.of(index),
    bytes,
    rank: index + 1,
  }));
const sizes = (batches: unknown[][]): number[] => batches.map(({ length }) => length);

describe('batchesOf', () => {
  it('divides the work among the loops, in batches of four to eight', () => {
    expect(sizes(batchesOf(waiting(3), { loops: 4 }))).toEqual([3]);
    expect(sizes(batchesOf(waiting(10), { loops: 4 }))).toEqual([4, 4, 2]);
    expect(sizes(batchesOf(waiting(24), { loops: 4 }))).toEqual([6, 6, 6, 6]);
    expect(sizes(batchesOf(waiting(36), { loops: 4 }))).toEqual([8, 8, 8, 8, 4]);
    expect(batchesOf([], { loops: 4 })).toEqual([]);
  });

  it('fills batches while more conversations wait', () => {
    expect(sizes(batchesOf(waiting(16), { loops: 2 }))).toEqual([8, 8]);
    expect(sizes(batchesOf(waiting(8), { loops: 2 }))).toEqual([4, 4]);
    expect(sizes(batchesOf(waiting(8), { loops: 2, hasMore: true }))).toEqual([8]);
  });

  it('limits a batch to a megabyte, and gives larger conversations their own', () => {
    const [small, large] = [waiting(6, 300_000), waiting(2, 5_000_000)];
    const ranked = [...small, ...large].map((candidate, index) => ({ ...candidate, rank: index + 1 }));
    expect(sizes(batchesOf(ranked, { loops: 1 }))).toEqual([3, 3, 1, 1]);
  });

  it('applies the first of each account before the rest of a busy one', () => {
    const flood = waiting(8);
    const [first, ...others] = flood;
    const quiet = { provider_account_id: 'quiet', identity_hash: Buffer.of(99), bytes: 1_000, rank: 1 };
    expect(batchesOf([quiet, ...flood], { loops: 1 })).toEqual([[quiet, first], others]);
  });

  it('keeps the order, so that the longest waiting goes first', () => {
    const candidates = waiting(40);
    expect(batchesOf(candidates, { loops: 4 }).flat()).toEqual(candidates);
  });
});

describe('byConversation', () => {
  it('merges requests for the same conversation', () => {
    const direct = (kind: string) => ({ kind }) as ApplyRequest['direct'][number];
    const request = (conversation: number, kind: string): ApplyRequest => ({
      candidate: { provider_account_id: 'account', identity_hash: Buffer.of(conversation) },
      account: null,
      direct: [direct(kind)],
    });
    const requests = [request(1, 'record'), request(2, 'record'), request(1, 'recording_stored')];
    const merged = [...byConversation(requests)];
    expect(merged.map(([one]) => one.direct.map(({ kind }) => kind))).toEqual([
      ['record', 'recording_stored'],
      ['record'],
    ]);
    expect(merged.map(([, parts]) => parts)).toEqual([[requests[0], requests[2]], [requests[1]]]);
  });
});
