// Recordings, sealed on their way in and opened on their way out. Memory does not grow with their length.
import { Readable, Transform, pipeline, type TransformCallback } from 'node:stream';
import { decryptRange, encryptChunked, recordingContext } from '../vault/chunked.js';
import type { DataKey } from '../vault/sealing.js';
import type { ObjectStore } from './object-store.js';

export interface RecordingRef {
  id: string;
  clientId: string;
  conversationId: string;
}

/** Where a recording lies: a folder for each conversation, so that all of one goes together. */
export const objectKeyOf = ({ id, clientId, conversationId }: RecordingRef): string =>
  `${clientId}/${conversationId}/${id}`;

const contextOf = ({ id, clientId, conversationId }: RecordingRef): string =>
  recordingContext({ clientId, conversationId, recordingId: id });

/** Counts what passes. */
class Counter extends Transform {
  bytes = 0;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.bytes += chunk.length;
    done(null, chunk);
  }
}

export class RecordingStore {
  constructor(private readonly objects: ObjectStore) {}

  /** Seals and stores `audio`; resolves with its own bytes. */
  async write(ref: RecordingRef, key: DataKey, audio: Readable): Promise<number> {
    const counter = new Counter();
    const sealed = encryptChunked(key, contextOf(ref));
    // A failure anywhere destroys the last stream, which put() sees.
    pipeline(audio, counter, sealed, () => undefined);
    await this.objects.put(objectKeyOf(ref), sealed);
    return counter.bytes;
  }

  /**
   * Bytes `start` to `end` inclusive of a recording of `bytes` bytes, verified before they come out.
   * Fails when the object is gone, cut or altered: the receiver must then cut the connection.
   */
  async read(ref: RecordingRef & { bytes: number }, key: DataKey, start: number, end: number): Promise<Readable> {
    const objectKey = objectKeyOf(ref);
    const cipherSize = await this.objects.size(objectKey);
    if (cipherSize === null) throw new Error('the stored recording is gone');
    const object = {
      key,
      context: contextOf(ref),
      plaintextSize: ref.bytes,
      cipherSize,
      read: (from: number, to: number) => this.objects.read(objectKey, from, to),
    };
    return Readable.from(decryptRange(object, start, end), { objectMode: false });
  }
}
