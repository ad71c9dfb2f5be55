// The stored form of a recording: one format byte, then a C2SP chunked-encryption message, instance Cobblestone-256
// (https://c2sp.org/chunked-encryption: HKDF-Expand-SHA-512, AES-256-GCM, 16 KiB chunks). This file: sizes, offsets and keys.
//
//   0        format id, 1
//   1        salt (24), random
//   25       commitment (32): can be derived only from the right key and context
//   57       chunk 0, chunk 1, …: 16384 bytes and a tag of 16 each; chunk k begins at 57 + k × 16400.
//            The last one is always short (0 to 16383 bytes), so that a cut at a chunk boundary is detected.
import { createHmac } from 'node:crypto';
import { VaultError } from '../errors.js';

export const FORMAT_COBBLESTONE_256 = 1;
export const CHUNK_BYTES = 16_384;
export const TAG_BYTES = 16;
export const SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES;
export const SALT_BYTES = 24;
export const COMMITMENT_BYTES = 32;
/** Format id, salt and commitment. */
export const HEADER_BYTES = 1 + SALT_BYTES + COMMITMENT_BYTES;
/** Limit of the specification: the counter must not reach the upper 58 bits of the nonce. */
const MAX_CHUNKS = 2 ** 38;
const INFO = Buffer.from('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0');

/** Length of the stored form of a plaintext of `plaintextBytes`. */
export function cipherSize(plaintextBytes: number): number {
  if (!Number.isSafeInteger(plaintextBytes) || plaintextBytes < 0)
    throw new RangeError('a size must be a whole number');
  const chunks = lastChunk(plaintextBytes) + 1;
  if (chunks > MAX_CHUNKS) throw new RangeError('too long for one message');
  return HEADER_BYTES + plaintextBytes + chunks * TAG_BYTES;
}

/** Plaintext length of a stored object. Throws {@link VaultError} `open_failed` for a length that no complete object has. */
export function plaintextSize(cipherBytes: number): number {
  const body = cipherBytes - HEADER_BYTES;
  const tail = body % SEALED_CHUNK_BYTES;
  if (!Number.isSafeInteger(cipherBytes) || body < TAG_BYTES || tail < TAG_BYTES) throw recordingFailed();
  return Math.floor(body / SEALED_CHUNK_BYTES) * CHUNK_BYTES + tail - TAG_BYTES;
}

/** Index of the short chunk that ends a plaintext of `plaintextBytes`. */
export const lastChunk = (plaintextBytes: number): number => Math.floor(plaintextBytes / CHUNK_BYTES);

/** Offset of chunk `index` in the stored object. */
export const chunkOffset = (index: number): number => HEADER_BYTES + index * SEALED_CHUNK_BYTES;

export interface ObjectKeys {
  key: Buffer;
  baseNonce: Buffer;
  commitment: Buffer;
}

/** Keys of one object: HKDF-Expand with SHA-512 (RFC 5869 2.3) to 32 + 12 + 32 bytes. `inputKey` has 32 random bytes. */
export function objectKeys(inputKey: Uint8Array, salt: Uint8Array, context: string): ObjectKeys {
  const info = Buffer.concat([INFO, salt, Buffer.from(context)]);
  const first = createHmac('sha512', inputKey).update(info).update(Buffer.of(1)).digest();
  const second = createHmac('sha512', inputKey).update(first).update(info).update(Buffer.of(2)).digest();
  const okm = Buffer.concat([first, second]);
  return { key: okm.subarray(0, 32), baseNonce: okm.subarray(32, 44), commitment: okm.subarray(44, 76) };
}

/** Base nonce XOR chunk index, big-endian. The index has 38 bits, and JavaScript's XOR handles 32 at a time. */
export function chunkNonce(baseNonce: Buffer, index: number): Buffer {
  if (index >= MAX_CHUNKS) throw new RangeError('too long for one message');
  const nonce = Buffer.from(baseNonce);
  nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ (index % 2 ** 32)) >>> 0, 8);
  nonce.writeUInt8(nonce.readUInt8(7) ^ Math.floor(index / 2 ** 32), 7);
  return nonce;
}

export const recordingFailed = (): VaultError =>
  new VaultError(
    'open_failed',
    'A stored recording cannot be decrypted: wrong key or context, or it was altered or cut',
  );
