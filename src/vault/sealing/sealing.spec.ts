import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VaultError } from '../errors.js';
import { DataKey, open, openJson, seal, SEAL_OVERHEAD, sealJson } from './sealing.js';

const bytes = (maxLength = 2_000) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
const keyOf = (fill: number, context = 'a') => new DataKey(Buffer.alloc(32, fill), context);

function failure(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return error instanceof VaultError ? error.reason : error;
  }
}

describe('seal and open', () => {
  it('give back any plaintext, under any context and purpose', () => {
    fc.assert(
      fc.property(bytes(), fc.string(), fc.string(), (plaintext, context, purpose) => {
        const sealed = seal(keyOf(1, context), purpose, plaintext);
        expect(sealed.length).toBe(plaintext.length + SEAL_OVERHEAD);
        expect(open(keyOf(1, context), purpose, sealed)).toEqual(plaintext);
      }),
    );
  });

  it('never give the same bytes twice', () => {
    expect(seal(keyOf(1), 'p', Buffer.from('x'))).not.toEqual(seal(keyOf(1), 'p', Buffer.from('x')));
  });

  it.each([0, 1, 40])('refuse every single flipped bit of %i sealed bytes', (length) => {
    const sealed = seal(keyOf(1), 'p', Buffer.alloc(length, 7));
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const altered = Buffer.from(sealed);
      altered.writeUInt8(altered.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(failure(() => open(keyOf(1), 'p', altered))).toBe('open_failed');
    }
  });

  it('refuse every truncation and an extension', () => {
    const sealed = seal(keyOf(1), 'p', Buffer.alloc(40, 7));
    for (let length = 0; length < sealed.length; length += 1) {
      expect(failure(() => open(keyOf(1), 'p', sealed.subarray(0, length)))).toBe('open_failed');
    }
    expect(failure(() => open(keyOf(1), 'p', Buffer.concat([sealed, Buffer.of(0)])))).toBe('open_failed');
  });

  it('refuse another key, context or purpose', () => {
    const sealed = seal(keyOf(1, 'a'), 'p', Buffer.from('x'));
    expect(failure(() => open(keyOf(2, 'a'), 'p', sealed))).toBe('open_failed');
    expect(failure(() => open(keyOf(1, 'b'), 'p', sealed))).toBe('open_failed');
    expect(failure(() => open(keyOf(1, 'a'), 'q', sealed))).toBe('open_failed');
  });

  it('refuse a context and purpose that only read alike when joined', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), fc.string(), (context, purpose, context2, purpose2) => {
        fc.pre(context !== context2 || purpose !== purpose2);
        const sealed = seal(keyOf(1, context), purpose, Buffer.from('x'));
        expect(failure(() => open(keyOf(1, context2), purpose2, sealed))).toBe('open_failed');
      }),
    );
  });

  it('say nothing of the content when they fail', () => {
    const error: unknown = failure(() => open(keyOf(2), 'p', seal(keyOf(1), 'p', Buffer.from('secret'))));
    expect(inspect(error)).not.toContain('secret');
  });
});

describe('sealJson and openJson', () => {
  it('give back any JSON value, short or long', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(3_000), (value, padding) => {
        const wrapped = { value: JSON.parse(JSON.stringify(value)) as unknown, padding: 'x'.repeat(padding) };
        expect(openJson(keyOf(1), 'p', sealJson(keyOf(1), 'p', wrapped))).toEqual(wrapped);
      }),
    );
  });

  it('compress from 1 KiB on, when that makes it smaller', () => {
    expect(sealJson(keyOf(1), 'p', 'x'.repeat(1_000)).length).toBeGreaterThan(1_000);
    expect(sealJson(keyOf(1), 'p', 'x'.repeat(100_000)).length).toBeLessThan(1_000);
  });

  it('refuse the other format byte', () => {
    const sealed = sealJson(keyOf(1), 'p', 'x'.repeat(5_000));
    sealed.writeUInt8(1);
    expect(failure(() => openJson(keyOf(1), 'p', sealed))).toBe('open_failed');
  });

  it('refuse what is no JSON', () => {
    expect(() => sealJson(keyOf(1), 'p', undefined)).toThrow(TypeError);
  });
});

describe('DataKey', () => {
  it('shows its bytes nowhere', () => {
    const secret = Buffer.alloc(32, 0xab);
    const shown = [
      JSON.stringify({ key: new DataKey(secret, 'a') }),
      inspect(new DataKey(secret, 'a'), { depth: 9, showHidden: true }),
    ];
    shown.push(Object.entries(new DataKey(secret, 'a')).join());
    for (const text of shown) expect(text.toLowerCase()).not.toMatch(/abab|ab ab|q6ur|171/);
  });

  it('takes exactly 32 bytes', () => {
    expect(() => new DataKey(Buffer.alloc(31), 'a')).toThrow(RangeError);
  });

  it('keeps its own copy and seals nothing once wiped', () => {
    const source = Buffer.alloc(32, 1);
    const key = new DataKey(source, 'a');
    const copy = key.copy();
    source.fill(9);
    const sealed = seal(key, 'p', Buffer.from('x'));
    key.wipe();
    expect(open(copy, 'p', sealed).toString()).toBe('x');
    expect(() => seal(key, 'p', Buffer.from('x'))).toThrow('wiped');
  });

  it('derives the same subkey for a label, and another for another', () => {
    const hex = (key: DataKey) => key.use((held) => held.toString('hex'));
    expect(hex(keyOf(1).subkey('x'))).toBe(hex(keyOf(1).subkey('x')));
    expect(new Set([keyOf(1), keyOf(1).subkey('x'), keyOf(1).subkey('y'), keyOf(2).subkey('x')].map(hex)).size).toBe(4);
  });
});
