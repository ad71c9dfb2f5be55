// PostgreSQL refuses to run as root. A user namespace makes root look like somebody else and still own its files, which
// also works in a checkout that is closed to all others; a real second user is the other way.
import type { SpawnSyncOptions } from 'node:child_process';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StartError } from '../start-error.js';

/** How to start a program as somebody PostgreSQL accepts: put `prefix` before the command, spawn with `uid` and `gid`. */
export interface RunAs {
  prefix: readonly string[];
  ids: { uid?: number; gid?: number };
}

interface User {
  name: string;
  uid: number;
  gid: number;
}

/**
 * Decides how programs are run on the files of `dir`, which exists. Throws {@link StartError} when root finds no way.
 * Files that belong to another user already stay theirs, so that a folder made one way is not opened the other way.
 */
export function runAsForPostgres(dir: string, postgres: string): RunAs {
  if (process.getuid?.() !== 0) return { prefix: [], ids: {} };
  const users = accounts();
  const owner = users.find((user) => user.uid === statSync(dir).uid && user.uid !== 0);
  if (owner === undefined) {
    const namespace = inNamespace(users[0] ?? { name: '', uid: 1000, gid: 1000 });
    if (reaches(namespace, dir, postgres)) return namespace;
  }
  openWay(dirname(dir));
  for (const { uid, gid } of owner === undefined ? users : [owner]) {
    const other: RunAs = { prefix: [], ids: { uid, gid } };
    giveTo(dir, uid, gid);
    if (reaches(other, dir, postgres)) return other;
  }
  if (owner === undefined) giveTo(dir, 0, 0);
  throw new StartError(
    `PostgreSQL does not run as root, user namespaces are off here, and no other user can enter ${dir}: start as an ordinary ` +
      'user, or set DATABASE_URL, KEYSTORE_DATABASE_URL and SEARCH_DATABASE_URL to a PostgreSQL 18 of yours.',
  );
}

/** `unshare` replaces itself by the program: same pid, same parent. The user must have a name: initdb looks it up. */
const inNamespace = ({ uid, gid }: User): RunAs => ({
  prefix: ['unshare', '--user', `--map-user=${uid}`, `--map-group=${gid}`, '--'],
  ids: {},
});

function reaches(runAs: RunAs, dir: string, postgres: string): boolean {
  const check = [
    '/bin/sh',
    '-c',
    'test "$(id -u)" != 0 && test -x "$1" && test -w "$2" && cd "$2"',
    'sh',
    postgres,
    dir,
  ];
  const [command = '', ...args] = [...runAs.prefix, ...check];
  const options: SpawnSyncOptions = { ...runAs.ids, cwd: '/', stdio: 'ignore', timeout: 5_000 };
  return spawnSync(command, args, options).status === 0;
}

/** Users with a name that are not root, `postgres` and `nobody` first. */
function accounts(): User[] {
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter((user) => user.uid > 0 && user.gid > 0);
  const rank = (user: User): number => ['postgres', 'nobody'].indexOf(user.name);
  return users.filter((user) => rank(user) >= 0).sort((a, b) => rank(a) - rank(b));
}

/** Lets others pass through the data folder, which is root's alone; what lies in it has modes of its own. */
function openWay(parent: string): void {
  const { mode, uid } = statSync(parent);
  if (uid === 0) chmodSync(parent, (mode & 0o7777) | 0o011);
}

function giveTo(path: string, uid: number, gid: number): void {
  const isFolder = statSync(path).isDirectory();
  if (isFolder) for (const name of readdirSync(path)) giveTo(join(path, name), uid, gid);
  chownSync(path, uid, gid);
}
