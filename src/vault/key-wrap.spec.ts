import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataKey } from './data-key.js';
import { VaultError } from './errors.js';
import { KeyWrap, WRAPPED_BYTES } from './key-wrap.js';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const hex = (key: DataKey): string => key.use((held) => held.toString('hex'));
const kekOf = (fill: number): KeyWrap => KeyWrap.under(new DataKey(Buffer.alloc(32, fill), 'kek'));
const keyOf = (content: Uint8Array, context = 'a'): DataKey => new DataKey(content, context);

const KEY = keyOf(Buffer.alloc(32, 7));
const flipped = (wrapped: Buffer, bit: number): Buffer => {
  const altered = Buffer.from(wrapped);
  altered.writeUInt8(altered.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  return altered;
};

function failure(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error instanceof VaultError ? error.reason : error;
  }
}

describe('a wrapped key', () => {
  it('takes 39 bytes and unwraps to the same key and context', () => {
    fc.assert(
      fc.property(bytes(32), bytes(32), fc.string(), (kek, content, context) => {
        const wrap = KeyWrap.under(keyOf(kek));
        const wrapped = wrap.wrap(keyOf(content, context));
        expect(wrapped).toHaveLength(WRAPPED_BYTES);
        const key = wrap.unwrap(wrapped, context);
        expect([hex(key), key.context]).toEqual([Buffer.from(content).toString('hex'), context]);
      }),
    );
    expect(WRAPPED_BYTES).toBe(39);
  });

  it('does not unwrap if any single bit is flipped', () => {
    const wrapped = kekOf(1).wrap(KEY);
    for (let bit = 0; bit < wrapped.length * 8; bit += 1) {
      expect(failure(() => kekOf(1).unwrap(flipped(wrapped, bit), 'a'))).toBe('open_failed');
    }
  });

  it('does not unwrap if any bytes are changed', () => {
    const wrapped = kekOf(1).wrap(KEY);
    fc.assert(
      fc.property(bytes(WRAPPED_BYTES), (altered) => {
        fc.pre(!wrapped.equals(altered));
        expect(failure(() => kekOf(1).unwrap(altered, 'a'))).toBe('open_failed');
      }),
    );
  });

  it('does not unwrap if it is shortened or extended', () => {
    const wrapped = kekOf(1).wrap(KEY);
    for (let length = 0; length < wrapped.length; length += 1) {
      expect(failure(() => kekOf(1).unwrap(wrapped.subarray(0, length), 'a'))).toBe('open_failed');
    }
    expect(failure(() => kekOf(1).unwrap(Buffer.concat([wrapped, Buffer.of(0)]), 'a'))).toBe('open_failed');
  });

  it('does not unwrap for another context or under another key-encryption key', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (context, other) => {
        fc.pre(Buffer.compare(Buffer.from(context), Buffer.from(other)) !== 0);
        const wrapped = kekOf(1).wrap(keyOf(Buffer.alloc(32, 7), context));
        expect(failure(() => kekOf(1).unwrap(wrapped, other))).toBe('open_failed');
        expect(failure(() => kekOf(2).unwrap(wrapped, context))).toBe('open_failed');
      }),
    );
  });

  it('does not unwrap if parts of two wrapped keys are combined', () => {
    const [one, other] = [kekOf(1).wrap(KEY), kekOf(1).wrap(keyOf(Buffer.alloc(32, 8)))];
    const mixed = Buffer.concat([one.subarray(0, 7), other.subarray(7)]);
    expect(failure(() => kekOf(1).unwrap(mixed, 'a'))).toBe('open_failed');
  });

  it('is deterministic, and differs for another key, context or key-encryption key', () => {
    const wraps = [
      kekOf(1).wrap(KEY),
      kekOf(1).wrap(keyOf(Buffer.alloc(32, 7), 'b')),
      kekOf(1).wrap(keyOf(Buffer.alloc(32, 8))),
      kekOf(2).wrap(KEY),
    ];
    expect(kekOf(1).wrap(KEY)).toEqual(wraps[0]);
    // Neither tags nor ciphertexts repeat: the key stream is another each time.
    for (const part of [(wrap: Buffer) => wrap.subarray(0, 7), (wrap: Buffer) => wrap.subarray(7)]) {
      expect(new Set(wraps.map((wrap) => part(wrap).toString('hex'))).size).toBe(wraps.length);
    }
  });

  it('reveals nothing about the key: over many contexts, every bit is set about half of the time', () => {
    const wraps = Array.from({ length: 2_000 }, (_, index) =>
      kekOf(1).wrap(keyOf(Buffer.alloc(32), `context ${index}`)),
    );
    for (let bit = 0; bit < WRAPPED_BYTES * 8; bit += 1) {
      const set = wraps.filter((wrap) => ((wrap[bit >> 3] ?? 0) >> (bit & 7)) & 1).length;
      expect(Math.abs(set / wraps.length - 0.5)).toBeLessThan(0.08);
    }
  });

  it('reveals nothing about the key in its error', () => {
    const wrapped = kekOf(1).wrap(keyOf(Buffer.alloc(32, 0xab)));
    const error = failure(() => kekOf(2).unwrap(wrapped, 'a'));
    expect(inspect(error, { depth: 9 }).toLowerCase()).not.toMatch(/abab|ab ab/);
  });
});

describe('KeyWrap', () => {
  it('keeps the stored format', () => {
    // Written by this code once: whatever changes it leaves installations without their keys.
    expect(kekOf(1).wrap(KEY).toString('hex')).toBe(
      '45da59c0cdfe8cac256d239a47fdeedafde8c6efae4a4c07b24443e3f0953641bbd30977877df1',
    );
  });

  it('still wraps with a copy after the original was wiped, but not with a wiped one', () => {
    const wrap = kekOf(1);
    const copy = wrap.copy();
    const wrapped = wrap.wrap(KEY);
    wrap.wipe();
    expect(hex(copy.unwrap(wrapped, 'a'))).toBe(hex(KEY));
    expect(() => wrap.wrap(KEY)).toThrow('wiped');
    expect(() => wrap.unwrap(wrapped, 'a')).toThrow('wiped');
  });

  it('does not wipe the key-encryption key', () => {
    const kek = new DataKey(Buffer.alloc(32, 1), 'kek');
    KeyWrap.under(kek).wipe();
    expect(hex(kek)).toBe('01'.repeat(32));
  });

  it('never prints its bytes', () => {
    expect(inspect(kekOf(1), { depth: 9, showHidden: true })).not.toMatch(/[0-9a-f]{16}|Buffer/i);
  });
});
