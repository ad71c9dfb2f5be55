// Where sealed recordings lie. The folder is the default; a bucket does the same behind this interface.
import type { Readable } from 'node:stream';

export interface ObjectStore {
  /** Stores a stream under `key`; a half-written object is never visible, a former one is replaced. Resolves with its bytes. */
  put(key: string, body: Readable): Promise<number>;
  /** Bytes stored under `key`; null when there is no such object. */
  size(key: string): Promise<number | null>;
  /** Stored bytes from `start` to `end` inclusive. */
  read(key: string, start: number, end: number): Readable;
  remove(key: string): Promise<void>;
  /** Removes what interrupted uploads left behind before `olderThan`; resolves with how many. */
  sweep(olderThan: Date): Promise<number>;
}
