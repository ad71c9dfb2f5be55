// Stores and reads recordings, sealing and decrypting them as streams: memory does not grow with their length.
import { Readable, Transform, pipeline, type TransformCallback } from 'node:stream';
import { decryptRange, encryptChunked, readHeader } from '../vault/sealing/chunked.js';
import type { DataKey } from '../vault/sealing/sealing.js';
import { AppError } from '../common/errors.js';
import { storeAway, type ObjectStore } from '../object-store/object-store.js';
import { contextOf, objectKeyOf, type RecordingRef } from './recording-object.js';

/** `bytes`: length of the plaintext. */
type StoredRecording = RecordingRef & { bytes: number };

/** What a read needs to know about an object before its first chunk. */
interface ObjectHead {
  cipherSize: number;
  header: Buffer;
}

const MAX_HEADS = 10_000;

/** Counts the bytes that pass through. */
class ByteCounter extends Transform {
  bytes = 0;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.bytes += chunk.length;
    done(null, chunk);
  }
}

export class RecordingStore {
  /** By object key: a player that seeks costs the store only the chunks that it plays. */
  private readonly heads = new Map<string, ObjectHead>();

  /** `announce` is called before an object is written; see {@link OrphanedObjects}. */
  constructor(
    private readonly objects: ObjectStore,
    private readonly announce: (ref: RecordingRef) => Promise<void> = () => Promise.resolve(),
  ) {}

  /**
   * Seals and stores `audio`; resolves with its length in bytes. Throws AppError `storage_unavailable` if the store cannot
   * take it, and the error of `audio` if that stream fails.
   */
  async write(ref: RecordingRef, key: DataKey, audio: Readable): Promise<number> {
    const counter = new ByteCounter();
    const sealed = encryptChunked(key, contextOf(ref));
    // A failure anywhere destroys the last stream, which put() sees.
    pipeline(audio, counter, sealed, () => undefined);
    await this.announce(ref).catch((error: unknown) => {
      audio.destroy();
      throw error;
    });
    await this.objects.put(objectKeyOf(ref), sealed);
    return counter.bytes;
  }

  /** Stores audio that is in memory; resolves with its object key. */
  async writeBytes(ref: RecordingRef, key: DataKey, bytes: Buffer): Promise<string> {
    await this.write(ref, key, Readable.from([bytes], { objectMode: false }));
    return objectKeyOf(ref);
  }

  /** Removes an object that no record references, or ever will. */
  remove(objectKey: string): Promise<void> {
    return this.objects.remove(objectKey);
  }

  /**
   * Bytes `start` to `end` inclusive, verified before they are returned. Rejects if the first bytes cannot be read: the object is
   * missing, cut or altered, or the store unavailable. A later failure is an error of the stream: cut the connection then.
   */
  async read(recording: StoredRecording, key: DataKey, start: number, end: number): Promise<Readable> {
    const pieces = this.pieces(recording, key, start, end);
    const first = await pieces.next().catch(asStoreFailure);
    return Readable.from(new PrefetchedPieces(first, pieces), { objectMode: false });
  }

  /** Like {@link read}, but all at once: for short ranges, which need no stream. */
  async readBytes(recording: StoredRecording, key: DataKey, start: number, end: number): Promise<Buffer> {
    const read: Buffer[] = [];
    try {
      for await (const piece of this.pieces(recording, key, start, end)) read.push(piece);
    } catch (error) {
      asStoreFailure(error);
    }
    return read.length === 1 && read[0] !== undefined ? read[0] : Buffer.concat(read);
  }

  private async *pieces(ref: StoredRecording, key: DataKey, start: number, end: number): AsyncGenerator<Buffer> {
    const name = objectKeyOf(ref);
    const known = this.heads.get(name);
    const stored = await this.objects.open(name, known?.cipherSize);
    if (stored === null) throw new AppError('internal', 'the stored recording is gone');
    try {
      const read = (from: number, to: number): AsyncIterable<Uint8Array> => stored.read(from, to);
      const head = known ?? { cipherSize: stored.bytes, header: await readHeader(read) };
      this.remember(name, head);
      yield* decryptRange({ key, context: contextOf(ref), plaintextSize: ref.bytes, ...head, read }, start, end);
    } catch (error) {
      // Whatever the reason, the next read fetches the head again.
      this.heads.delete(name);
      throw error;
    } finally {
      await stored.close();
    }
  }

  private remember(name: string, head: ObjectHead): void {
    if (this.heads.size >= MAX_HEADS) this.heads.clear();
    this.heads.set(name, head);
  }
}

/** Any error that is no AppError came from reading the store. */
function asStoreFailure(error: unknown): never {
  throw error instanceof AppError ? error : storeAway(error);
}

/** Pieces of which the first has been read already. Not a generator: one that was never started would not close `rest`. */
class PrefetchedPieces implements AsyncIterableIterator<Buffer> {
  private first: IteratorResult<Buffer> | null;

  constructor(
    first: IteratorResult<Buffer>,
    private readonly rest: AsyncGenerator<Buffer>,
  ) {
    this.first = first;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Buffer>> {
    const { first } = this;
    this.first = null;
    return first ?? this.rest.next().catch(asStoreFailure);
  }

  async return(): Promise<IteratorResult<Buffer>> {
    return this.rest.return(undefined);
  }
}
