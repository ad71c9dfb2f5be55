import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLIND_INDEX_BYTES, BlindIndexHasher } from './blind-index-hasher.js';
import { DataKey } from './data-key.js';

const indexOf = (fill: number) => new BlindIndexHasher(new DataKey(Buffer.alloc(32, fill), 'a'));

describe('BlindIndexHasher', () => {
  it('gives the same hash for the same key, kind and value only', () => {
    const hash = indexOf(1).hash('phone', '+14155550123');
    expect(hash.length).toBe(BLIND_INDEX_BYTES);
    expect(indexOf(1).hash('phone', '+14155550123')).toEqual(hash);
    expect(indexOf(2).hash('phone', '+14155550123')).not.toEqual(hash);
    expect(indexOf(1).hash('user_id', '+14155550123')).not.toEqual(hash);
  });

  it('distinguishes pairs that join to the same text', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), fc.string(), (a, b, c, d) => {
        fc.pre(a !== c || b !== d);
        expect(indexOf(1).hash('metadata', a, b)).not.toEqual(indexOf(1).hash('metadata', c, d));
      }),
    );
  });

  // Checked against Python: hashlib.blake2b(b'["phone","+14155550123"]', key=b'\x01' * 32, digest_size=16)
  it('does not change between versions, which would make every index row useless', () => {
    expect(indexOf(1).hash('phone', '+14155550123').toString('hex')).toBe('090860969a51fc49d9961685a42d9c30');
  });
});
