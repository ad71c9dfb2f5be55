// Recordings, sealed on their way in and opened on their way out. Memory does not grow with their length.
import { Readable, Transform, pipeline, type TransformCallback } from 'node:stream';
import { decryptRange, encryptChunked, readHeader } from '../vault/sealing/chunked.js';
import type { DataKey } from '../vault/sealing/sealing.js';
import { AppError } from '../common/errors.js';
import { storeAway, type ObjectStore } from '../object-store/object-store.js';
import { contextOf, objectKeyOf, type RecordingRef } from './recording-object.js';

/** With the bytes of its plaintext. */
type StoredRecording = RecordingRef & { bytes: number };

/** What a read must know of an object before its first chunk. */
interface Opening {
  cipherSize: number;
  header: Buffer;
}

const MAX_OPENINGS = 10_000;

/** Counts what passes. */
class Counter extends Transform {
  bytes = 0;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.bytes += chunk.length;
    done(null, chunk);
  }
}

export class RecordingStore {
  /** By object: a player that jumps about asks the store for nothing but the chunks that it hears. */
  private readonly openings = new Map<string, Opening>();

  /** Who writes announces what is about to lie there; see {@link OrphanedObjects}. */
  constructor(
    private readonly objects: ObjectStore,
    private readonly announce: (ref: RecordingRef) => Promise<void> = () => Promise.resolve(),
  ) {}

  /**
   * Seals and stores `audio`; resolves with its own bytes. Throws AppError `storage_unavailable` when the store cannot
   * take it, and the error of `audio` when that one breaks.
   */
  async write(ref: RecordingRef, key: DataKey, audio: Readable): Promise<number> {
    const counter = new Counter();
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

  /** Stores audio that is in memory; resolves with the key of its object. */
  async writeBytes(ref: RecordingRef, key: DataKey, bytes: Buffer): Promise<string> {
    await this.write(ref, key, Readable.from([bytes], { objectMode: false }));
    return objectKeyOf(ref);
  }

  /** Removes an object that no record names, nor ever will. */
  remove(objectKey: string): Promise<void> {
    return this.objects.remove(objectKey);
  }

  /**
   * Bytes `start` to `end` inclusive of a recording of `bytes` bytes, verified before they come out; resolves once the
   * first are. Fails when the object is gone, cut or altered, or the store away. What fails only later is the stream:
   * the receiver must then cut the connection.
   */
  async read(recording: StoredRecording, key: DataKey, start: number, end: number): Promise<Readable> {
    const pieces = this.pieces(recording, key, start, end);
    const first = await pieces.next().catch(asStoreFailure);
    return Readable.from(new Begun(first, pieces), { objectMode: false });
  }

  /** As {@link read}, all at once: for short ranges, which need no stream. */
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
    const known = this.openings.get(name);
    const stored = await this.objects.open(name, known?.cipherSize);
    if (stored === null) throw new AppError('internal', 'the stored recording is gone');
    try {
      const read = (from: number, to: number): AsyncIterable<Uint8Array> => stored.read(from, to);
      const opening = known ?? { cipherSize: stored.bytes, header: await readHeader(read) };
      this.remember(name, opening);
      yield* decryptRange({ key, context: contextOf(ref), plaintextSize: ref.bytes, ...opening, read }, start, end);
    } catch (error) {
      // Whatever failed, the next read asks again.
      this.openings.delete(name);
      throw error;
    } finally {
      await stored.close();
    }
  }

  private remember(name: string, opening: Opening): void {
    if (this.openings.size >= MAX_OPENINGS) this.openings.clear();
    this.openings.set(name, opening);
  }
}

/** What is neither ours nor the vault's comes from reading the store. */
function asStoreFailure(error: unknown): never {
  throw error instanceof AppError ? error : storeAway(error);
}

/** The pieces, the first of which is already there. By hand: a generator that was never begun would not end `rest`. */
class Begun implements AsyncIterableIterator<Buffer> {
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
