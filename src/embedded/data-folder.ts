// The data folder of `npm run up`: its format version, its logs, and the lock against a second `up`.
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, takeLock, writeLock, type LockFile, type ServerAddresses } from './lock.js';
import { endProcess, identityOf } from './processes.js';
import { StartError } from './start-error.js';
import type { SupervisedChild } from './supervisor.js';

/** Increased when older versions can no longer use the folder. Folders of earlier formats are refused. */
const DATA_FORMAT = 3;
const LOG_LIMIT_BYTES = 20 * 1024 * 1024;

export interface DataFolder {
  /** Writes the running children into the lock, so that the next start can end them after a crash of this one. */
  record(children: SupervisedChild[]): void;
  /** Writes the addresses of databases and Temporal into the lock, for the command line (src/cli.ts). */
  recordServers(servers: ServerAddresses): void;
  /** The path of a log file; moves the old file aside if it is larger than 20 MiB. */
  log(name: string): string;
  release(): void;
}

/**
 * Locks the folder for this process, creates it if needed, and ends processes that a crashed `up` left running.
 * Throws {@link StartError} if another `up` uses it, another version wrote it, or it cannot be written.
 */
export async function takeDataFolder(dir: string, report: (line: string) => void): Promise<DataFolder> {
  const isNew = formatOf(dir) === undefined;
  makeFolder(dir);
  const mine: LockFile = { pid: process.pid, identity: identityOf(process.pid) ?? '', children: [] };
  const { path, dead } = takeLock(dir, mine);
  const release = (): void => rmSync(path, { force: true });
  try {
    if (isNew) writeFileSync(join(dir, 'VERSION'), `${DATA_FORMAT}\n`);
    await endLeftovers(dead, report);
  } catch (error) {
    release();
    throw error;
  }
  const record = (children: SupervisedChild[]): void => {
    mine.children = children.map((child) => ({ ...child, identity: identityOf(child.pid) ?? '' }));
    writeLock(path, mine);
  };
  const recordServers = ({
    databaseUrl,
    keystoreDatabaseUrl,
    searchDatabaseUrl,
    publicUrl,
    temporal,
  }: ServerAddresses): void => {
    const { address, namespace } = temporal;
    mine.servers = { databaseUrl, keystoreDatabaseUrl, searchDatabaseUrl, publicUrl, temporal: { address, namespace } };
    writeLock(path, mine);
  };
  return { record, recordServers, log: (name) => logFile(dir, name), release };
}

function makeFolder(dir: string): void {
  try {
    mkdirSync(join(dir, 'logs'), { recursive: true, mode: 0o700 });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    throw new StartError(
      `The data folder ${dir} cannot be created (${code}): choose another one with COLLOQUY_DATA_DIR=….`,
      {
        cause,
      },
    );
  }
}

/** The folder's format; undefined: it is new. Throws {@link StartError} for another format. */
function formatOf(dir: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(join(dir, 'VERSION'), 'utf8').trim();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    // Other problems are reported when the folder is created.
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
  const format = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (format !== DATA_FORMAT) throw new StartError(`The data folder ${dir} ${whatOf(format)}`);
  return format;
}

function whatOf(format: number): string {
  if (format < DATA_FORMAT)
    return (
      `was written by an earlier version (data format ${format}; this one begins with ${DATA_FORMAT}), whose data this one does ` +
      'not take over: choose an empty folder (COLLOQUY_DATA_DIR=… npm run up).'
    );
  const why =
    format > DATA_FORMAT
      ? `was written by a newer version (data format ${format}; this one knows ${DATA_FORMAT})`
      : 'has a VERSION file that is not a number';
  return `${why}: start the version that wrote it, or choose another folder (COLLOQUY_DATA_DIR=… npm run up).`;
}

async function endLeftovers(dead: LockFile | undefined, report: (line: string) => void): Promise<void> {
  for (const child of (dead?.children ?? []).toReversed().filter(isAlive)) {
    report(`ending ${child.name} (process ${child.pid}), which an earlier start left behind`);
    if (await endProcess(child.pid, [[child.signal, 3_000] as const, ['SIGKILL', 1_000] as const])) continue;
    throw new StartError(
      `${child.name} (process ${child.pid}), left behind by an earlier start, does not end: stop it by hand.`,
    );
  }
}

function logFile(dir: string, name: string): string {
  const path = join(dir, 'logs', `${name}.log`);
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_LIMIT_BYTES) renameSync(path, `${path}.1`);
  return path;
}
