// The limit of B1: 32 connections that each insert one row and commit, with pgbench, or if it is not installed with the same loop
// in Node and `pg`, in its own process. Both use a prepared statement and send the bytes with every insert.
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BARE_DATABASE, type Environment } from '../environment.js';
import { runPart } from '../programs.js';
import type { InsertsPlan } from './inserts.js';

const INSERT = 'insert into bare (body) values ';

/** Not compressed by PostgreSQL, like our table. */
export const CREATE = `create table bare (id bigint generated always as identity primary key, body text not null);
alter table bare alter column body set storage external`;

const DEBIAN = '/usr/lib/postgresql';

/** pgbench from PATH, otherwise the newest of Debian's packages; null if there is none. */
function findPgbench(): string | null {
  if (spawnSync('pgbench', ['--version']).status === 0) return 'pgbench';
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  return versions.map((version) => join(DEBIAN, version, 'bin/pgbench')).find((path) => existsSync(path)) ?? null;
}

export interface Inserter {
  name: string;
  /** Inserts `count` rows. */
  insert: (count: number) => Promise<{ perSecond: number }>;
}

/** Inserts rows of `bytes` bytes over `connections` connections. */
export function inserter(environment: Environment, bytes: number, connections: number): Inserter {
  const pgbench = findPgbench();
  const body = 'x'.repeat(bytes);
  const url = environment.postgres.url(BARE_DATABASE);
  if (pgbench === null) {
    const plan = (count: number): InsertsPlan => ({ url, body, connections, count });
    return { name: 'node pg', insert: (count) => runPart('bare/inserts', plan(count)) };
  }
  const script = join(environment.dir, 'insert.sql');
  // In prepared mode a variable is sent as a parameter, so that the bytes are not part of the statement text.
  writeFileSync(script, `${INSERT}(:body);\n`);
  const options = ['-n', '-M', 'prepared', '-f', script, '-D', `body=${body}`, '-c', String(connections), '-j', '2'];
  const { port, username, password, hostname } = new URL(url);
  const env = { PGHOST: hostname, PGPORT: port, PGUSER: username, PGPASSWORD: password, PGDATABASE: BARE_DATABASE };
  const insert = async (count: number): Promise<{ perSecond: number }> => {
    const each = Math.max(1, Math.round(count / connections));
    const { stdout } = await promisify(execFile)(pgbench, [...options, '-t', String(each)], {
      env: { ...env, PATH: '/usr/bin:/bin' },
    });
    const perSecond = Number(/^tps = ([\d.]+)/m.exec(stdout)?.[1]);
    if (!(perSecond > 0)) throw new Error(`pgbench reported no rate: ${stdout.slice(0, 500)}`);
    return { perSecond };
  };
  return { name: 'pgbench', insert };
}
