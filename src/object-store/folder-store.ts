// The folder driver: writes to a temporary file, syncs it, then renames it, so that a crash leaves no half-written object.
import { randomUUID } from 'node:crypto';
import {
  access,
  constants,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
  writeFile,
  type FileHandle,
} from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { WINDOW_BYTES } from '../vault/sealing/chunked.js';
import { CountedStream } from './counted-stream.js';
import { storeAway, type ObjectStore, type StoredObject } from './object-store.js';

const PARTIAL = '.part';

export class FolderStore implements ObjectStore {
  private readonly root: string;

  constructor(folder: string) {
    this.root = resolve(folder);
  }

  async put(key: string, body: Readable): Promise<number> {
    const path = this.pathOf(key);
    const partial = `${path}.${randomUUID()}${PARTIAL}`;
    const counted = new CountedStream(body);
    try {
      const made = await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await writeSynced(partial, gathered(counted.pieces()));
      await rename(partial, path);
      await syncFolders(dirname(path), made === undefined ? dirname(path) : dirname(made));
      return counted.bytes;
    } catch (error) {
      body.destroy();
      // If this fails too, sweep() removes it.
      await rm(partial, { force: true }).catch(() => undefined);
      throw counted.failure === null ? storeAway(error) : counted.failure.error;
    }
  }

  async size(key: string): Promise<number | null> {
    return (await unlessGone(stat(this.pathOf(key))))?.size ?? null;
  }

  async open(key: string, known?: number): Promise<StoredObject | null> {
    const file = await unlessGone(open(this.pathOf(key)));
    if (file === null) return null;
    try {
      const bytes = known ?? (await file.stat()).size;
      return { bytes, read: (start, end) => piecesOf(file, start, end), close: () => file.close() };
    } catch (error) {
      await file.close();
      throw storeAway(error);
    }
  }

  async remove(key: string): Promise<void> {
    await rm(this.pathOf(key), { force: true }).catch(away);
  }

  async ping(): Promise<void> {
    // The folder is created with the first recording; until then its absence is not a failure.
    await mkdir(this.root, { recursive: true, mode: 0o700 }).catch(away);
    await access(this.root, constants.R_OK | constants.W_OK).catch(away);
  }

  async sweep(olderThan: Date): Promise<number> {
    const names = (await unlessGone(readdir(this.root, { recursive: true }))) ?? []; // no recording was ever stored
    let removed = 0;
    for (const name of names.filter((found) => found.endsWith(PARTIAL))) {
      const path = join(this.root, name);
      // Null: the upload has just completed.
      const found = await unlessGone(stat(path));
      if (found === null || found.mtime >= olderThan) continue;
      await rm(path, { force: true }).catch(away);
      removed += 1;
    }
    return removed;
  }

  /** Keys are made of our ids; one that leads out of the folder is a bug. */
  private pathOf(key: string): string {
    const path = resolve(this.root, key);
    if (!path.startsWith(this.root + sep)) throw new RangeError('an object key must stay inside its folder');
    return path;
  }
}

async function writeSynced(path: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await writeFile(file, pieces);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Joins small pieces: each write costs a task for a pool thread, whatever its size. */
async function* gathered(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let [held, bytes]: [Uint8Array[], number] = [[], 0];
  for await (const piece of pieces) {
    held.push(piece);
    bytes += piece.length;
    if (bytes < WINDOW_BYTES) continue;
    yield Buffer.concat(held);
    [held, bytes] = [[], 0];
  }
  if (bytes > 0) yield Buffer.concat(held);
}

/**
 * One read per window; a file stream would need four, and open and close the file for each range. All windows share one
 * buffer, so a piece is valid only until the next one is requested.
 */
async function* piecesOf(file: FileHandle, start: number, end: number): AsyncGenerator<Uint8Array> {
  const window = Buffer.allocUnsafe(Math.min(WINDOW_BYTES, end + 1 - start));
  for (let at = start; at <= end; at += WINDOW_BYTES) {
    const wanted = Math.min(WINDOW_BYTES, end + 1 - at);
    const { bytesRead } = await file.read(window, 0, wanted, at).catch(away);
    yield window.subarray(0, bytesRead);
    if (bytesRead < wanted) return;
  }
}

/** The result; null if the file or folder does not exist. */
async function unlessGone<Result>(operation: Promise<Result>): Promise<Result | null> {
  return operation.catch((error: NodeJS.ErrnoException) => {
    return error.code === 'ENOENT' ? null : away(error);
  });
}

function away(error: unknown): never {
  throw storeAway(error);
}

/** A rename is durable only once its folder is synced, and a new folder only once its parent is. */
async function syncFolders(from: string, to: string): Promise<void> {
  for (let path = from; ; path = dirname(path)) {
    await syncFolder(path);
    if (path === to) return;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
