// Creates the folder of a PostgreSQL cluster atomically, and checks it before it is used.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { guardChild } from '../guard.js';
import type { PostgresBinaries } from './postgres-binaries.js';
import type { RunAs } from './postgres-user.js';
import { runAsForPostgres } from './postgres-user.js';
import { exitOf, describeExit } from '../processes.js';
import { StartError } from '../start-error.js';

/** The superuser of the embedded cluster. */
export const SUPERUSER = 'postgres';

/** The whole environment of PostgreSQL: none of our variables (keys, proxies, PG*) reach it. */
export const POSTGRES_ENV = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
};

const PASSWORD_FILE = 'colloquy.password';

export interface Cluster {
  runAs: RunAs;
  password: string;
}

/**
 * Opens the cluster in `dataDir`; creates it if the folder is absent or empty. The password is stored beside the data, mode
 * 0600. Throws {@link StartError} for a folder of another PostgreSQL version or with other content.
 */
export async function openCluster(options: {
  dataDir: string;
  binaries: PostgresBinaries;
  durable: boolean;
}): Promise<Cluster> {
  const { dataDir, binaries } = options;
  const exists = existsSync(dataDir) && readdirSync(dataDir).length > 0;
  if (exists) checkVersion(dataDir, binaries.major);
  else return await createCluster(options);
  return { runAs: runAsForPostgres(dataDir, binaries.postgres), password: readPassword(dataDir) };
}

function checkVersion(dataDir: string, ours: number): void {
  const file = join(dataDir, 'PG_VERSION');
  if (!existsSync(file)) {
    throw new StartError(
      `${dataDir} is not empty and contains no PostgreSQL data: move it away, or choose another folder (COLLOQUY_DATA_DIR=…).`,
    );
  }
  const theirs = Number.parseInt(readFileSync(file, 'utf8'), 10);
  if (theirs === ours) return;
  const writer = theirs > ours ? 'by a newer version, with' : 'with';
  throw new StartError(
    `The data folder ${dataDir} was written ${writer} PostgreSQL ${theirs}, and this version includes PostgreSQL ${ours}: ` +
      `start the version that wrote it, or choose another folder (COLLOQUY_DATA_DIR=…).`,
  );
}

function readPassword(dataDir: string): string {
  const file = join(dataDir, PASSWORD_FILE);
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  throw new StartError(
    `${file} is missing, so the database in ${dataDir} cannot be opened: restore it, or choose another folder (COLLOQUY_DATA_DIR=…).`,
  );
}

/** Runs initdb in a temporary folder and renames it at the end, so that a partial cluster is never used. */
async function createCluster(options: {
  dataDir: string;
  binaries: PostgresBinaries;
  durable: boolean;
}): Promise<Cluster> {
  const { dataDir, binaries, durable } = options;
  const parent = dirname(dataDir);
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  const partial = `${basename(dataDir)}.new-`;
  for (const name of readdirSync(parent)) {
    if (name.startsWith(partial)) rmSync(join(parent, name), { recursive: true, force: true });
  }
  const work = join(parent, `${partial}${process.pid}`);
  mkdirSync(work, { mode: 0o700 });
  const runAs = runAsForPostgres(work, binaries.postgres);
  const password = randomBytes(24).toString('hex');
  const passwordFile = join(work, PASSWORD_FILE);
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (runAs.ids.uid !== undefined) chownSync(passwordFile, runAs.ids.uid, runAs.ids.gid ?? runAs.ids.uid);
  await runInitdb({ initdb: binaries.initdb, work, runAs, durable });
  renameSync(passwordFile, join(work, 'data', PASSWORD_FILE));
  rmSync(dataDir, { recursive: true, force: true });
  renameSync(join(work, 'data'), dataDir);
  rmSync(work, { recursive: true });
  return { runAs, password };
}

async function runInitdb(options: { initdb: string; work: string; runAs: RunAs; durable: boolean }): Promise<void> {
  const { initdb, work, runAs, durable } = options;
  // The builtin C.UTF-8 sorts by code point: the same on every machine and every libc.
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const access = [`--username=${SUPERUSER}`, '--auth=scram-sha-256', `--pwfile=${join(work, PASSWORD_FILE)}`];
  const args = [`--pgdata=${join(work, 'data')}`, ...access, ...locale, ...(durable ? [] : ['--no-sync'])];
  const [command = '', ...rest] = [...runAs.prefix, initdb, ...args];
  const child = spawn(command, rest, {
    ...runAs.ids,
    cwd: '/',
    env: POSTGRES_ENV,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  guardChild(child, 'TERM');
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const exit = await exitOf(child);
  if (exit.code === 0) return;
  rmSync(work, { recursive: true, force: true });
  const reason = errors.split('\n').find((line) => line.trim() !== '');
  throw new StartError(
    `PostgreSQL could not create its data folder: initdb ${describeExit(exit)}${reason ? ` (${reason})` : ''}.`,
  );
}
