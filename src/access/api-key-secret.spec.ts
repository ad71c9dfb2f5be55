import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { checksumOf, isWellFormed, newSecret, prefixOf } from './api-key-secret.js';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

describe('newSecret', () => {
  it('is clq_, 32 base62 characters and their checksum', () => {
    const secret = newSecret();
    expect(secret).toMatch(/^clq_[0-9A-Za-z]{38}$/);
    expect(secret.slice(36)).toBe(checksumOf(secret.slice(4, 36)));
    expect(isWellFormed(secret)).toBe(true);
    expect(prefixOf(secret)).toBe(secret.slice(0, 12));
  });
});

describe('checksumOf', () => {
  it('reads back as the CRC-32', () => {
    for (const text of ['', 'a', '0'.repeat(32), newSecret()]) {
      const value = checksumOf(text)
        .split('')
        .reduce((sum, digit) => sum * 62 + BASE62.indexOf(digit), 0);
      expect(value).toBe(crc32(text));
    }
  });

  it('is zero padded', () => {
    // The CRC-32 of nothing is 0.
    expect(checksumOf('')).toBe('000000');
  });
});

describe('isWellFormed', () => {
  it.each([
    '',
    'clq_',
    `clq_${'a'.repeat(31)}`,
    `clq_${'a'.repeat(31)}-`,
    `clx_${'a'.repeat(38)}`,
    `clq_${'a'.repeat(300)}`,
  ])('refuses %j', (secret) => expect(isWellFormed(secret)).toBe(false));

  it('takes bootstrap keys without a checksum', () => {
    expect(isWellFormed(`clq_${'a'.repeat(32)}`)).toBe(true);
  });
});
