import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunkOffset } from './chunk-format.js';
import {
  type ChunkedObject,
  cipherSize,
  decryptRange,
  encryptChunked,
  readHeader,
  recordingContext,
} from './chunked.js';
import { VaultError } from '../errors.js';
import { DataKey } from './sealing.js';

const CHUNK = 16_384;
const SIZES = [0, 1, 57, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK - 1, 3 * CHUNK, 3 * CHUNK + 100];
const place = { clientId: 'c', conversationId: 'v', recordingId: 'r', version: '1' };
const context = recordingContext(place);
const key = new DataKey(Buffer.alloc(32, 3), 'a');

/** Bytes that differ everywhere, so that a wrong chunk cannot look right. */
const pattern = Buffer.concat(
  Array.from({ length: 800 }, (_, index) => createHash('sha512').update(`${index}`).digest()),
);
const plaintextOf = (size: number): Buffer => pattern.subarray(0, size);

async function encrypt(plaintext: Buffer, pieceBytes = 5_000): Promise<Buffer> {
  const encryption = encryptChunked(key, context);
  const pieces = Array.from({ length: Math.ceil(plaintext.length / pieceBytes) }, (_, index) =>
    plaintext.subarray(index * pieceBytes, (index + 1) * pieceBytes),
  );
  const [stored] = await Promise.all([buffer(encryption), pipeline(Readable.from(pieces), encryption)]);
  return stored;
}

const read = (stored: Buffer) => (start: number, end: number) => Readable.from([stored.subarray(start, end + 1)]);

type Sample = Partial<ChunkedObject> & { stored: Buffer; size: number };

async function sourceOf(object: Sample): Promise<ChunkedObject> {
  const reader = object.read ?? read(object.stored);
  return { key, context, plaintextSize: object.size, ...object, header: await readHeader(reader), read: reader };
}

async function decrypt(object: Sample, start = 0, end = object.size - 1) {
  const out: Buffer[] = [];
  for await (const piece of decryptRange(await sourceOf(object), start, end)) out.push(piece);
  return Buffer.concat(out);
}

/** What came out before the failure, and whether it failed. */
async function attempt(object: Sample): Promise<{ failed: boolean; out: Buffer }> {
  const out: Buffer[] = [];
  try {
    for await (const piece of decryptRange(await sourceOf(object), 0, object.size - 1)) out.push(piece);
    return { failed: false, out: Buffer.concat(out) };
  } catch (error) {
    expect(error).toBeInstanceOf(VaultError);
    return { failed: true, out: Buffer.concat(out) };
  }
}

const samples = await Promise.all(SIZES.map(async (size) => ({ size, stored: await encrypt(plaintextOf(size)) })));
const sample = (size: number): Buffer => Buffer.from(samples.find((one) => one.size === size)?.stored ?? []);

describe('recordingContext', () => {
  // What is sealed to it in stores today must open for ever.
  it('is the one of old, when there is no version', () => {
    expect(recordingContext({ ...place, version: null })).toBe('["recording",1,"c","v","r"]');
    expect(context).toBe('["recording",1,"c","v","r","1"]');
  });
});

describe('encryptChunked', () => {
  it.each(samples)(
    'stores $size bytes in the size that cipherSize tells, and they come back',
    async ({ size, stored }) => {
      expect(stored.length).toBe(cipherSize(size));
      expect(await decrypt({ stored, size, cipherSize: stored.length })).toEqual(plaintextOf(size));
    },
  );

  it('stores the same length, however the plaintext arrives, and never the same bytes', async () => {
    const plaintext = plaintextOf(2 * CHUNK + 5);
    const [a, b] = [await encrypt(plaintext, 1_000), await encrypt(plaintext, CHUNK * 3)];
    expect(a.length).toBe(b.length);
    expect(a.subarray(1, 57)).not.toEqual(b.subarray(1, 57));
    expect(await decrypt({ stored: b, size: plaintext.length })).toEqual(plaintext);
  });
});

describe('decryptRange', () => {
  it('gives any range, in pieces of any size', async () => {
    const anyRange = fc
      .record({
        of: fc.constantFrom(...samples.filter(({ size }) => size > 0)),
        a: fc.nat(),
        b: fc.nat(),
        pieceBytes: fc.integer({ min: 1, max: 40_000 }),
      })
      .map(({ of, a, b, pieceBytes }) => ({
        ...of,
        pieceBytes,
        range: [a % of.size, b % of.size].sort((x, y) => x - y),
      }));
    await fc.assert(
      fc.asyncProperty(anyRange, async ({ size, stored, pieceBytes, range: [start = 0, end = 0] }) => {
        const inPieces = (from: number, to: number) =>
          Readable.from(slices(stored.subarray(from, to + 1), Math.max(pieceBytes, 500)));
        expect(await decrypt({ stored, size, read: inPieces }, start, end)).toEqual(
          plaintextOf(size).subarray(start, end + 1),
        );
      }),
    );
  });

  it('reads the header and the chunks in question only', async () => {
    const reads: number[][] = [];
    const stored = sample(3 * CHUNK + 100);
    const watched = (start: number, end: number) => {
      reads.push([start, end]);
      return read(stored)(start, end);
    };
    await decrypt({ stored, size: 3 * CHUNK + 100, read: watched }, CHUNK + 5, 2 * CHUNK);
    expect(reads).toEqual([
      [0, 56],
      [chunkOffset(1), chunkOffset(3) - 1],
    ]);
  });

  it.each([
    [-1, 5],
    [5, 4],
    [0, 57],
    [57, 57],
  ])('refuses the range %i to %i of 57 bytes', async (start, end) => {
    await expect(decrypt({ stored: sample(57), size: 57 }, start, end)).rejects.toThrow(RangeError);
  });
});

describe('a recording that was tampered with', () => {
  const size = 3 * CHUNK;
  const whole = plaintextOf(size);
  const chunk = (stored: Buffer, index: number) => stored.subarray(chunkOffset(index), chunkOffset(index + 1));
  const rebuilt = (order: number[]) => {
    const stored = sample(size);
    return Buffer.concat([stored.subarray(0, 57), ...order.map((index) => chunk(stored, index))]);
  };

  it('fails for every flipped byte of the header', async () => {
    for (let at = 0; at < 57; at += 1) {
      const stored = sample(size);
      stored.writeUInt8(stored.readUInt8(at) ^ 0x01, at);
      expect(await attempt({ stored, size })).toEqual({ failed: true, out: Buffer.alloc(0) });
    }
  });

  it('fails for any flipped bit, and what came out before is right', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...samples), fc.nat(), fc.nat(7), async (of, at, bit) => {
        const stored = Buffer.from(of.stored);
        const position = at % stored.length;
        stored.writeUInt8(stored.readUInt8(position) ^ (1 << bit), position);
        const { failed, out } = await attempt({ stored, size: of.size });
        expect(failed).toBe(true);
        expect(out).toEqual(plaintextOf(of.size).subarray(0, out.length));
      }),
      { numRuns: 200 },
    );
  });

  it.each([
    ['swapped chunks', rebuilt([1, 0, 2, 3])],
    ['a dropped first chunk', rebuilt([1, 2, 3])],
    ['a dropped middle chunk', rebuilt([0, 2, 3])],
    ['a dropped last chunk', rebuilt([0, 1, 2])],
    ['a duplicated chunk', rebuilt([0, 0, 1, 2, 3])],
    ['a chunk in place of another', rebuilt([0, 1, 1, 3])],
    ['a doubled end', rebuilt([0, 1, 2, 3, 3])],
    ['an appended byte', Buffer.concat([rebuilt([0, 1, 2, 3]), Buffer.of(0)])],
    ['nothing', Buffer.alloc(0)],
  ])('fails with %s', async (_what, stored) => {
    const { failed, out } = await attempt({ stored, size, cipherSize: stored.length });
    expect(failed).toBe(true);
    expect(out).toEqual(whole.subarray(0, out.length));
  });

  it('fails cut anywhere, also when the size follows from what is left', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...samples), fc.nat(), async (of, cut) => {
        const stored = of.stored.subarray(0, cut % of.stored.length);
        expect((await attempt({ stored, size: of.size })).failed).toBe(true);
        for (const shorter of SIZES.filter((other) => cipherSize(other) <= stored.length)) {
          const { failed, out } = await attempt({ stored, size: shorter });
          expect(failed).toBe(true);
          expect(out).toEqual(plaintextOf(of.size).subarray(0, out.length));
        }
      }),
    );
  });

  it('fails when a longer size is told', async () => {
    expect((await attempt({ stored: sample(CHUNK), size: CHUNK + 1 })).failed).toBe(true);
  });

  it('fails with another key, another context or a chunk of another object', async () => {
    const stored = sample(size);
    const others = [{ recordingId: 'r2' }, { version: '2' }, { version: null }];
    const nothing = { failed: true, out: Buffer.alloc(0) };
    for (const other of others)
      expect(await attempt({ stored, size, context: recordingContext({ ...place, ...other }) })).toEqual(nothing);
    expect(await attempt({ stored, size, key: new DataKey(randomBytes(32), 'a') })).toEqual(nothing);
    chunk(await encrypt(whole), 1).copy(stored, chunkOffset(1));
    expect(await attempt({ stored, size })).toEqual({ failed: true, out: whole.subarray(0, CHUNK) });
  });
});

function* slices(bytes: Buffer, size: number): Generator<Buffer> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}
