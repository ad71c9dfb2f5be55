// Seals recordings in chunks, so that a Range request decrypts only what it sends. Layout: chunk-format.ts. No byte is returned
// before the tag of its chunk is verified.
import { createCipheriv, createDecipheriv, randomBytes, timingSafeEqual } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import {
  CHUNK_BYTES,
  chunkNonce,
  chunkOffset,
  cipherSize,
  FORMAT_COBBLESTONE_256,
  HEADER_BYTES,
  lastChunk,
  objectKeys,
  type ObjectKeys,
  recordingFailed,
  SALT_BYTES,
  SEALED_CHUNK_BYTES,
  TAG_BYTES,
} from './chunk-format.js';
import type { DataKey } from '../data-key.js';
import { exactPieces } from './exact-pieces.js';

export { cipherSize } from './chunk-format.js';

interface RecordingPlace {
  clientId: string;
  conversationId: string;
  recordingId: string;
  /** Null: the recording was stored before there were versions. */
  version: string | null;
}

/** Text that binds an object to its recording; JSON, so that no two recordings share one. */
export const recordingContext = ({ clientId, conversationId, recordingId, version }: RecordingPlace): string =>
  JSON.stringify([
    ...['recording', FORMAT_COBBLESTONE_256, clientId, conversationId, recordingId],
    ...(version === null ? [] : [version]),
  ]);

const keysFor = (key: DataKey, salt: Uint8Array, context: string): ObjectKeys => {
  const recordings = key.subkey('chunked');
  const keys = recordings.use((bytes) => objectKeys(bytes, salt, context));
  recordings.wipe();
  return keys;
};

function encryptChunk(keys: ObjectKeys, index: number, plain: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', keys.key, chunkNonce(keys.baseNonce, index));
  const body = cipher.update(plain);
  cipher.final();
  return Buffer.concat([body, cipher.getAuthTag()]);
}

/** Transforms a stream of plaintext into the stored form; buffers at most one chunk (16 KiB). */
class ChunkedEncryption extends Transform {
  readonly #keys: ObjectKeys;
  readonly #pending = Buffer.alloc(CHUNK_BYTES);
  #pendingBytes = 0;
  #index = 0;

  constructor(key: DataKey, context: string) {
    super();
    const salt = randomBytes(SALT_BYTES);
    this.#keys = keysFor(key, salt, context);
    this.push(Buffer.concat([Buffer.of(FORMAT_COBBLESTONE_256), salt, this.#keys.commitment]));
  }

  override _transform(piece: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    let from = 0;
    while (from < piece.length) {
      const taken = piece.copy(this.#pending, this.#pendingBytes, from);
      this.#pendingBytes += taken;
      from += taken;
      if (this.#pendingBytes === CHUNK_BYTES) this.#endChunk();
    }
    done();
  }

  override _flush(done: TransformCallback): void {
    this.#endChunk();
    this.#pending.fill(0);
    done();
  }

  #endChunk(): void {
    this.push(encryptChunk(this.#keys, this.#index, this.#pending.subarray(0, this.#pendingBytes)));
    this.#index += 1;
    this.#pendingBytes = 0;
  }
}

/**
 * Seals a stream of any length; pipe the plaintext in. The output has `cipherSize(bytes in)` bytes.
 * `context` comes from {@link recordingContext}.
 */
export function encryptChunked(key: DataKey, context: string): Transform {
  return new ChunkedEncryption(key, context);
}

/** A stored object and how to read it. */
export interface ChunkedObject {
  key: DataKey;
  context: string;
  /** Length of the plaintext, as recorded when it was stored; a wrong value is detected at the last chunk. */
  plaintextSize: number;
  /** Length of the stored object, if known. It must match `plaintextSize`, so that appended bytes are detected too. */
  cipherSize?: number;
  /** Result of {@link readHeader} for this object; not secret. */
  header: Uint8Array;
  /** Stored bytes from `start` to `end` inclusive, in pieces of any size: a file or object stream. */
  read: Reader;
}

type Reader = (start: number, end: number) => AsyncIterable<Uint8Array>;

/**
 * Chunks that are read, decrypted and passed on together, because each step between disk and socket costs more than a chunk.
 * With 16, sixty-four concurrent readers no longer fit the processor's cache, and each costs half as much again.
 */
const WINDOW_CHUNKS = 8;
/** Stores that return pieces of this size save a copy. */
export const WINDOW_BYTES = WINDOW_CHUNKS * SEALED_CHUNK_BYTES;

/**
 * Plaintext bytes `start` to `end` inclusive, up to 128 KiB at a time; reads only the chunks it needs. The whole of an empty
 * object is 0 to -1 (its empty chunk is verified). Every returned byte is verified. Throws {@link VaultError} `open_failed` at
 * the first chunk that is not, possibly after correct bytes, so the receiver must cut the connection. RangeError if the range
 * is not inside the object.
 */
export async function* decryptRange(object: ChunkedObject, start: number, end: number): AsyncGenerator<Buffer> {
  const size = object.plaintextSize;
  const isWholeOfEmpty = size === 0 && start === 0 && end === -1;
  if (!isWholeOfEmpty && !(start >= 0 && start <= end && end < size)) throw new RangeError('range outside the object');
  const stored = cipherSize(size);
  if (object.cipherSize !== undefined && object.cipherSize !== stored) throw recordingFailed();

  const keys = keysOf(object);
  const first = Math.floor(start / CHUNK_BYTES);
  // A range that reaches the end includes the short last chunk, even an empty one: it proves that nothing was cut.
  const last = end === size - 1 ? lastChunk(size) : Math.floor(end / CHUNK_BYTES);
  const lastByte = Math.min(chunkOffset(last + 1), stored) - 1;
  let index = first;
  for await (const window of exactPieces(object.read(chunkOffset(first), lastByte), WINDOW_BYTES)) {
    const opened: Buffer[] = [];
    try {
      for (let at = 0; at < window.byteLength; at += SEALED_CHUNK_BYTES) {
        const isEnd = index === lastChunk(size);
        const sealed = window.subarray(at, at + SEALED_CHUNK_BYTES);
        const plain = decryptChunk(keys, index, sealed, isEnd ? size % CHUNK_BYTES : CHUNK_BYTES);
        const from = index * CHUNK_BYTES;
        opened.push(plain.subarray(Math.max(0, start - from), Math.max(0, end + 1 - from)));
        index += 1;
      }
    } finally {
      // Also returns what was verified before a broken chunk.
      const together = opened.length === 1 ? opened[0] : Buffer.concat(opened);
      if (together !== undefined && together.length > 0) yield together;
    }
  }
  if (index !== last + 1) throw recordingFailed();
}

/** Reads salt and commitment, which every read of an object needs. Once per object is enough: they never change. */
export async function readHeader(read: Reader): Promise<Buffer> {
  for await (const header of exactPieces(read(0, HEADER_BYTES - 1), HEADER_BYTES)) return Buffer.from(header);
  throw recordingFailed();
}

function keysOf({ key, context, header }: ChunkedObject): ObjectKeys {
  if (header.length !== HEADER_BYTES || header[0] !== FORMAT_COBBLESTONE_256) throw recordingFailed();
  const keys = keysFor(key, header.subarray(1, 1 + SALT_BYTES), context);
  if (!timingSafeEqual(header.subarray(1 + SALT_BYTES), keys.commitment)) throw recordingFailed();
  return keys;
}

function decryptChunk(keys: ObjectKeys, index: number, sealed: Uint8Array, plainBytes: number): Buffer {
  if (sealed.byteLength !== plainBytes + TAG_BYTES) throw recordingFailed();
  const decipher = createDecipheriv('aes-256-gcm', keys.key, chunkNonce(keys.baseNonce, index));
  decipher.setAuthTag(sealed.subarray(plainBytes));
  const plain = decipher.update(sealed.subarray(0, plainBytes));
  try {
    decipher.final();
  } catch {
    // Only the tag can fail here, and OpenSSL gives no further reason.
    throw recordingFailed();
  }
  return plain;
}
