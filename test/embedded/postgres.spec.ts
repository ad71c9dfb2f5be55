import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDataSource } from '../../src/database/data-source.js';
import { ApiDatabase } from '../../src/database/database.js';
import { LOGINS, setPasswords } from '../../src/database/logins.js';
import { databaseSettings } from '../../src/embedded/postgres/database-settings.js';
import type { EmbeddedPostgres } from '../../src/embedded/postgres/postgres.js';
import { startPostgres } from '../../src/embedded/postgres/postgres.js';
import { identityOf } from '../../src/embedded/processes.js';
import { StartError } from '../../src/embedded/start-error.js';

let folder: string;
let dataDir: string;
let started: EmbeddedPostgres[];

const start = async (options: Partial<Parameters<typeof startPostgres>[0]> = {}): Promise<EmbeddedPostgres> => {
  const server = await startPostgres({ dataDir, durable: false, ...options });
  started.push(server);
  return server;
};

async function query<Row extends pg.QueryResultRow>(url: string, sql: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

beforeEach(() => {
  // Mode 0700 from mkdtemp: the cluster must work in a folder that is closed to all other users.
  folder = mkdtempSync(join(tmpdir(), 'colloquy-pg-'));
  dataDir = join(folder, 'postgres');
  started = [];
});

afterEach(async () => {
  await Promise.all(started.map((server) => server.stop()));
  rmSync(folder, { recursive: true, force: true });
});

describe('startPostgres', () => {
  it('creates a cluster with all databases, UTF8 and byte order, and does not reveal its password', async () => {
    const server = await start();
    const [row] = await query<{ encoding: string; order: boolean; fsync: string }>(
      server.url('colloquy'),
      `SELECT pg_encoding_to_char(encoding) AS encoding, 'B' < 'a' AS order, current_setting('fsync') AS fsync
         FROM pg_database WHERE datname = 'colloquy_keystore'`,
    );
    expect(row).toEqual({ encoding: 'UTF8', order: true, fsync: 'off' });
    expect(await query(server.url('colloquy_search'), 'SELECT 1')).toHaveLength(1);
    expect(statSync(join(dataDir, 'colloquy.password')).mode & 0o777).toBe(0o600);
    await expect(query(server.url('colloquy').replace(/:[^:@]+@/, ':wrong@'), 'SELECT 1')).rejects.toThrow(/password/);
  });

  it('finds its data again at the second start', async () => {
    const first = await start();
    await query(first.url('colloquy'), 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    expect(await first.exited).toEqual({ code: 0, signal: null });
    const second = await start({ durable: true });
    expect(await query(second.url('colloquy'), 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('gives its databases an owner who migrates and is no superuser, and each process a login', async () => {
    const server = await start();
    const { owner, api } = databaseSettings(server);
    const source = createDataSource({ url: owner.DATABASE_URL, role: 'owner', poolSize: 1 });
    await source.initialize();
    await source.runMigrations();
    expect(await source.query('select rolsuper from pg_roles where rolname = session_user')).toEqual([
      { rolsuper: false },
    ]);
    await setPasswords(source, { api: server.passwordOf(LOGINS.api), worker: undefined });
    await source.destroy();
    const reader = createDataSource({ url: api.DATABASE_URL, role: 'colloquy_api', poolSize: 1 });
    const database = new ApiDatabase(await reader.initialize());
    expect(await database.once('all', { text: 'select id from clients' })).toEqual([]);
    await database.close();
  });

  it('refuses a folder that a running server uses, and takes it over if told that its owner is dead', async () => {
    const first = await start();
    await expect(start()).rejects.toThrow(/already runs on .*postgres/);
    const second = await start({ running: 'stop' });
    expect(await first.exited).toEqual({ code: 0, signal: null });
    expect(await query(second.url('colloquy'), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('ignores the pid file of a dead server, even if another program has its pid now', async () => {
    const first = await start();
    first.process.kill('SIGKILL');
    await first.exited;
    const bystander = spawn('sleep', ['60'], { stdio: 'ignore' });
    const file = join(dataDir, 'postmaster.pid');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^\d+/, String(bystander.pid)));
    try {
      const second = await start();
      expect(await query(second.url('colloquy'), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      expect(identityOf(bystander.pid ?? 0)).toBeDefined();
    } finally {
      bystander.kill('SIGKILL');
    }
  });

  it('names the folder and the ways out if a newer PostgreSQL wrote it', async () => {
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, 'PG_VERSION'), '19\n');
    const failure = start();
    await expect(failure).rejects.toThrow(StartError);
    await expect(failure).rejects.toThrow(new RegExp(`${dataDir}.*newer.*PostgreSQL 19.*COLLOQUY_DATA_DIR`));
  });

  it('starts over after an interrupted initdb', async () => {
    mkdirSync(join(folder, 'postgres.new-1', 'data'), { recursive: true });
    writeFileSync(join(folder, 'postgres.new-1', 'data', 'PG_VERSION'), '18\n');
    const server = await start();
    expect(await query(server.url('colloquy'), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(() => statSync(join(folder, 'postgres.new-1'))).toThrow(/ENOENT/);
  });

  it('gives the reason if the port is taken', async () => {
    const first = await start();
    await expect(start({ dataDir: join(folder, 'other'), port: first.port })).rejects.toThrow(
      /did not start.*could not create any TCP/,
    );
  });
});
