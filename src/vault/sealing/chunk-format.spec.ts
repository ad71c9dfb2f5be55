import { createDecipheriv } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunkNonce, chunkOffset, cipherSize, objectKeys, plaintextSize } from './chunk-format.js';

// Made with another implementation: cryptography 50.0.1 (Python), Cobblestone256Encryptor, key 00…1f.
const ANSWER = {
  context: 'a context',
  plaintext: 'colloquy known answer',
  salt: 'b67ac0774ca1763c028b59cdfb2feb4a7dfac7e230b22183',
  commitment: '29f302ff3e3e5f3b8b3e4713976b0e1f21ff2f32e971b788d2ca2461b836b48e',
  chunk: 'b42d0dfe638f767bee105852855e5cc1fdf80170321ae6638f148f1deaf632c888c78ccaa5',
};

describe('objectKeys', () => {
  it('derives what another implementation derives', () => {
    const inputKey = Buffer.from(Array.from({ length: 32 }, (_, index) => index));
    const keys = objectKeys(inputKey, Buffer.from(ANSWER.salt, 'hex'), ANSWER.context);
    expect(keys.commitment.toString('hex')).toBe(ANSWER.commitment);
    const chunk = Buffer.from(ANSWER.chunk, 'hex');
    const decipher = createDecipheriv('aes-256-gcm', keys.key, chunkNonce(keys.baseNonce, 0));
    decipher.setAuthTag(chunk.subarray(-16));
    expect(`${decipher.update(chunk.subarray(0, -16)).toString()}${decipher.final().toString()}`).toBe(
      ANSWER.plaintext,
    );
  });
});

describe('chunkNonce', () => {
  it('is the base nonce XOR the chunk number, as big-endian integers', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 12 }), fc.nat(2 ** 38 - 1), (base, index) => {
        const expected = BigInt(`0x${Buffer.from(base).toString('hex')}`) ^ BigInt(index);
        expect(BigInt(`0x${chunkNonce(Buffer.from(base), index).toString('hex')}`)).toBe(expected);
      }),
    );
  });

  it('ends at 2^38 chunks', () => {
    expect(() => chunkNonce(Buffer.alloc(12), 2 ** 38)).toThrow(RangeError);
  });
});

describe('sizes', () => {
  it('lead back to each other', () => {
    fc.assert(fc.property(fc.nat(2 ** 40), (size) => plaintextSize(cipherSize(size)) === size));
  });

  it.each([
    [0, 57 + 16],
    [1, 57 + 17],
    [16_383, 57 + 16_399],
    [16_384, 57 + 16_400 + 16],
    [16_385, 57 + 16_400 + 17],
  ])('of %i bytes are %i stored ones', (plain, stored) => expect(cipherSize(plain)).toBe(stored));

  it('refuse lengths that no whole object has', () => {
    const cut = [0, 56, 57, 57 + 15, chunkOffset(1), chunkOffset(1) + 15, chunkOffset(3), -1, 1.5, Number.NaN];
    for (const length of cut) expect(() => plaintextSize(length)).toThrow('cannot be decrypted');
    for (const size of [-1, 0.5, Number.NaN]) expect(() => cipherSize(size)).toThrow(RangeError);
  });

  it('put chunk k at 57 + k × 16400', () => expect(chunkOffset(3)).toBe(57 + 3 * 16_400));
});
