// Where sealed recordings lie. The folder is the default; a bucket does the same behind this interface.
import type { Readable } from 'node:stream';
import { AppError } from '../common/errors.js';

/** What is stored under one key. */
export interface StoredObject {
  bytes: number;
  /** From `start` to `end` inclusive, in pieces of any size, each valid until the next is asked for. */
  read(start: number, end: number): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** Every method throws `storage_unavailable` when the store cannot do it now: away, full, throttled, closed to us. */
export interface ObjectStore {
  /**
   * Stores a stream under `key`; a half-written object is never visible, a former one is replaced. Resolves with its
   * bytes. When the stream itself fails, rejects with the stream's error.
   */
  put(key: string, body: Readable): Promise<number>;
  /** Bytes stored under `key`; null when there is no such object. */
  size(key: string): Promise<number | null>;
  /**
   * The object under `key`, to read parts of it; null when there is none. Close it. Who knows its `bytes` spares the
   * question; that it is gone then shows when it is read.
   */
  open(key: string, bytes?: number): Promise<StoredObject | null>;
  remove(key: string): Promise<void>;
  /** Removes what interrupted uploads left behind before `olderThan`; resolves with how many. */
  sweep(olderThan: Date): Promise<number>;
  /** Resolves when the store answers and lets us in. */
  ping(): Promise<void>;
}

const RETRY_AFTER_S = 5;

/** The store cannot do it now; the operator finds why in the log, by name and code of the cause. */
export const storeAway = (cause: unknown): AppError =>
  new AppError('storage_unavailable', 'the store of recordings cannot be used now', {
    cause,
    headers: { 'retry-after': String(RETRY_AFTER_S) },
  });
