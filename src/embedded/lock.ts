// The lock file of a data folder: the owning process, its children, and the addresses of its servers.
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/config.js';
import { identityOf } from './processes.js';
import { StartError } from './start-error.js';
import type { SupervisedChild } from './supervisor.js';

/** Addresses of an installation's servers, with passwords, so only its owner can read the file. */
export interface ServerAddresses extends Pick<
  Config,
  'databaseUrl' | 'keystoreDatabaseUrl' | 'searchDatabaseUrl' | 'publicUrl'
> {
  temporal: Pick<Config['temporal'], 'address' | 'namespace'>;
}

export interface LockFile {
  pid: number;
  /** {@link identityOf} the pid, so that a reused pid is not taken for the owner. */
  identity: string;
  children: (SupervisedChild & { identity: string })[];
  /** Set once all servers run. */
  servers?: ServerAddresses;
}

const pathOf = (dir: string): string => join(dir, 'up.lock');

/** Writes our lock. Returns its path, and the lock of a dead owner if there was one. */
export function takeLock(dir: string, mine: LockFile): { path: string; dead?: LockFile } {
  const path = pathOf(dir);
  const text = JSON.stringify(mine);
  for (;;) {
    try {
      writeFileSync(path, text, { flag: 'wx', mode: 0o600 });
      return { path };
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const owner = readLock(path);
    if (owner !== undefined && isAlive(owner)) {
      throw new StartError(
        `Another "npm run up" (process ${owner.pid}) already runs on the data folder ${dir}: stop it, or choose another folder and ` +
          'port (COLLOQUY_DATA_DIR=… PORT=… npm run up).',
      );
    }
    // Renamed, not removed: if two processes find the same dead lock, only one gets it and the other starts over.
    const taken = `${path}.${process.pid}`;
    renameSync(path, taken);
    const moved = readLock(taken);
    rmSync(taken);
    if (moved !== undefined && isAlive(moved)) {
      // Another process replaced it between reading and renaming: put it back and start over.
      writeFileSync(path, JSON.stringify(moved), { mode: 0o600 });
      continue;
    }
    writeFileSync(path, text, { flag: 'wx', mode: 0o600 });
    return { path, ...(moved && { dead: moved }) };
  }
}

/** A lock that does not parse was truncated by a crash of the machine and has no owner. */
function readLock(path: string): LockFile | undefined {
  try {
    const {
      pid = 0,
      identity = '',
      children = [],
      servers,
    } = JSON.parse(readFileSync(path, 'utf8')) as Partial<LockFile>;
    return { pid, identity, children, ...(servers && { servers }) };
  } catch (error) {
    if (error instanceof SyntaxError || (error instanceof Error && 'code' in error && error.code === 'ENOENT'))
      return undefined;
    throw error;
  }
}

/** Whether the recorded process is still running, and not another one with the same pid. */
export const isAlive = ({ pid, identity }: { pid: number; identity: string }): boolean =>
  pid > 0 && identityOf(pid) === identity;

/** Replaces our own lock. */
export function writeLock(path: string, mine: LockFile): void {
  writeFileSync(`${path}.new`, JSON.stringify(mine), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** The `up` that runs on this folder, once it has recorded its addresses. */
export function runningOn(dir: string): { pid: number; servers: ServerAddresses } | undefined {
  const lock = readLock(pathOf(dir));
  if (lock?.servers === undefined || !isAlive(lock)) return undefined;
  return { pid: lock.pid, servers: lock.servers };
}
