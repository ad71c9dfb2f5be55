// The one folder that holds everything: its format, its logs, and the lock that keeps a second `up` out.
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, takeLock, writeLock, type LockFile, type Places } from './lock.js';
import { endProcess, identityOf } from './processes.js';
import { StartError } from './start-error.js';
import type { SupervisedChild } from './supervisor.js';

/** Raised when a version can no longer be followed by an older one on the same folder. Folders of formats 1 and 2 are not taken over. */
const DATA_FORMAT = 3;
const LOG_LIMIT_BYTES = 20 * 1024 * 1024;

export interface DataFolder {
  /** Writes the living children into the lock, for the next start to clean up after a crash of this one. */
  record(children: SupervisedChild[]): void;
  /** Writes into the lock where databases and Temporal are, for commands that are given by hand. */
  tell(places: Places): void;
  /** A log file of ours, moved aside when it has grown over 20 MiB. */
  log(name: string): string;
  release(): void;
}

/**
 * Takes the folder, which is made when absent, for this process, and ends what a dead owner left running.
 * Throws {@link StartError} when another `up` lives on it, another version wrote it, or it cannot be written.
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
  const tell = ({ databaseUrl, keystoreDatabaseUrl, searchDatabaseUrl, publicUrl, temporal }: Places): void => {
    const { address, namespace } = temporal;
    mine.places = { databaseUrl, keystoreDatabaseUrl, searchDatabaseUrl, publicUrl, temporal: { address, namespace } };
    writeLock(path, mine);
  };
  return { record, tell, log: (name) => logFile(dir, name), release };
}

function makeFolder(dir: string): void {
  try {
    mkdirSync(join(dir, 'logs'), { recursive: true, mode: 0o700 });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    throw new StartError(
      `The data folder ${dir} cannot be made (${code}): choose another one with COLLOQUY_DATA_DIR=….`,
      {
        cause,
      },
    );
  }
}

/** Ours, or undefined when nobody has written here yet. Throws {@link StartError} for a folder that is not for this version. */
function formatOf(dir: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(join(dir, 'VERSION'), 'utf8').trim();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    // What else is wrong with the folder is told when it is made.
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
      : 'has a VERSION file that is no number';
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
