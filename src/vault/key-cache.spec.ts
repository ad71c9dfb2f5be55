import { describe, expect, it } from 'vitest';
import { DataKey } from './data-key.js';
import { KeyCache } from './key-cache.js';

const keyOf = (fill: number) => new DataKey(Buffer.alloc(32, fill), 'a');
const firstByte = (key: DataKey | undefined) => key?.use((bytes) => bytes[0]);

function cacheAt(maxEntries = 1_000): { cache: KeyCache<DataKey>; at: (ms: number) => void } {
  let now = 0;
  const cache = new KeyCache<DataKey>({ maxEntries, now: () => now });
  return { cache, at: (ms) => (now = ms) };
}

describe('KeyCache', () => {
  it('serves a key for less than 60 s, which a read does not extend', () => {
    const { cache, at } = cacheAt();
    cache.put('a', keyOf(1), cache.ticket());
    at(54_999);
    expect(firstByte(cache.get('a'))).toBe(1);
    at(55_000);
    expect(cache.get('a')).toBeUndefined();
    cache.sweep();
    expect(cache.size).toBe(0);
  });

  it('evicts the least recently used when full', () => {
    const { cache } = cacheAt(2);
    for (const name of ['a', 'b']) cache.put(name, keyOf(1), cache.ticket());
    cache.get('a');
    cache.put('c', keyOf(1), cache.ticket());
    expect(['a', 'b', 'c'].map((name) => cache.get(name) !== undefined)).toEqual([true, false, true]);
  });

  it('does not wipe the keys of callers when it evicts or closes', () => {
    const { cache } = cacheAt(1);
    const given = keyOf(1);
    cache.put('a', given, cache.ticket());
    const got = cache.get('a');
    cache.put('b', keyOf(2), cache.ticket());
    cache.close();
    expect([firstByte(given), firstByte(got)]).toEqual([1, 1]);
    expect(cache.size).toBe(0);
  });

  it('does not store a key that was read before a drop', () => {
    const { cache } = cacheAt();
    const ticket = cache.ticket();
    cache.drop('a');
    cache.put('a', keyOf(1), ticket);
    expect(cache.get('a')).toBeUndefined();
  });
});
