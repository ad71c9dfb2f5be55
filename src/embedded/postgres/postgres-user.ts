// PostgreSQL refuses to run as root. In a user namespace, root looks like another user and still owns its files, which also works
// in a checkout that no other user can read. Without namespaces, a real second user runs it.
import type { SpawnSyncOptions } from 'node:child_process';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StartError } from '../start-error.js';

/** How to start a program as a user that PostgreSQL accepts: `prefix` goes before the command; spawn with `ids`. */
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
 * Decides how to run programs on the files of `dir`, which must exist. Throws {@link StartError} if root has no way. If the
 * files belong to another user already, that user keeps them.
 */
export function runAsForPostgres(dir: string, postgres: string): RunAs {
  if (process.getuid?.() !== 0) return { prefix: [], ids: {} };
  const users = accounts();
  const owner = users.find((user) => user.uid === statSync(dir).uid && user.uid !== 0);
  if (owner === undefined) {
    const namespace = inNamespace(users[0] ?? { name: '', uid: 1000, gid: 1000 });
    if (canAccess(namespace, dir, postgres)) return namespace;
  }
  allowTraversal(dirname(dir));
  for (const { uid, gid } of owner === undefined ? users : [owner]) {
    const other: RunAs = { prefix: [], ids: { uid, gid } };
    giveTo(dir, uid, gid);
    if (canAccess(other, dir, postgres)) return other;
  }
  if (owner === undefined) giveTo(dir, 0, 0);
  throw new StartError(
    `PostgreSQL does not run as root, user namespaces are off here, and no other user can enter ${dir}: start as an ordinary ` +
      'user, or set DATABASE_URL, KEYSTORE_DATABASE_URL and SEARCH_DATABASE_URL to a PostgreSQL 18 of yours.',
  );
}

/** `unshare` replaces itself with the program: same pid, same parent. The user needs a name, which initdb looks up. */
const inNamespace = ({ uid, gid }: User): RunAs => ({
  prefix: ['unshare', '--user', `--map-user=${uid}`, `--map-group=${gid}`, '--'],
  ids: {},
});

function canAccess(runAs: RunAs, dir: string, postgres: string): boolean {
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

/** The users `postgres` and `nobody`, if they exist. */
function accounts(): User[] {
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter((user) => user.uid > 0 && user.gid > 0);
  const rank = (user: User): number => ['postgres', 'nobody'].indexOf(user.name);
  return users.filter((user) => rank(user) >= 0).sort((a, b) => rank(a) - rank(b));
}

/** Lets other users traverse the data folder of root; the files in it have modes of their own. */
function allowTraversal(parent: string): void {
  const { mode, uid } = statSync(parent);
  if (uid === 0) chmodSync(parent, (mode & 0o7777) | 0o011);
}

function giveTo(path: string, uid: number, gid: number): void {
  const isFolder = statSync(path).isDirectory();
  if (isFolder) for (const name of readdirSync(path)) giveTo(join(path, name), uid, gid);
  chownSync(path, uid, gid);
}
