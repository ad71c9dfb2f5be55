import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exactPieces } from './exact-pieces.js';

describe('exactPieces', () => {
  it('gives the same pieces, however the bytes arrive', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 25 }), { maxLength: 12 }),
        fc.integer({ min: 1, max: 12 }),
        async (arrivals, size) => {
          const pieces: Buffer[] = [];
          for await (const piece of exactPieces(streamOf(arrivals), size)) pieces.push(Buffer.from(piece));
          expect(Buffer.concat(pieces)).toEqual(Buffer.concat(arrivals));
          expect(pieces.slice(0, -1).every((piece) => piece.length === size)).toBe(true);
          expect(pieces.every((piece) => piece.length > 0 && piece.length <= size)).toBe(true);
        },
      ),
    );
  });
});

async function* streamOf(arrivals: Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const arrival of arrivals) yield await Promise.resolve(arrival);
}
