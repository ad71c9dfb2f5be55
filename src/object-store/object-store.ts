// The interface of the store of sealed recordings: a folder (the default) or an S3 bucket.
import type { Readable } from 'node:stream';
import { AppError } from '../common/errors.js';

/** What is stored under one key. */
export interface StoredObject {
  bytes: number;
  /** Bytes `start` to `end` inclusive, in pieces of any size, each valid until the next is requested. */
  read(start: number, end: number): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** Every method throws `storage_unavailable` when the store cannot do it now: down, full, throttled, access denied. */
export interface ObjectStore {
  /**
   * Stores a stream under `key` and resolves with its length in bytes. A half-written object is never visible; an existing one
   * is replaced. If the stream itself fails, rejects with the stream's error.
   */
  put(key: string, body: Readable): Promise<number>;
  /** Length in bytes of the object under `key`; null if there is none. */
  size(key: string): Promise<number | null>;
  /**
   * Opens the object under `key`; null if there is none. Close it afterwards. Passing the known `bytes` saves a request; a
   * missing object is then noticed when it is read.
   */
  open(key: string, bytes?: number): Promise<StoredObject | null>;
  remove(key: string): Promise<void>;
  /** Removes what uploads interrupted before `olderThan` left behind; resolves with how many. */
  sweep(olderThan: Date): Promise<number>;
  /** Resolves if the store answers and grants access. */
  ping(): Promise<void>;
}

const RETRY_AFTER_S = 5;

/** `storage_unavailable`. The log shows the operator the reason: name and code of the cause. */
export const storeAway = (cause: unknown): AppError =>
  new AppError('storage_unavailable', 'the store of recordings is unavailable', {
    cause,
    headers: { 'retry-after': String(RETRY_AFTER_S) },
  });
