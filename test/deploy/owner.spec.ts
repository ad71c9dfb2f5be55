// deploy/postgres/owner.sql on a new cluster, as the image of docker-compose.yml runs it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDataSource } from '../../src/database/data-source.js';
import { LOGINS, setPasswords } from '../../src/database/logins.js';
import { startPostgres, type EmbeddedPostgres } from '../../src/embedded/postgres/postgres.js';
import { asLogin } from '../support/databases.js';

let folder: string;
let server: EmbeddedPostgres;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'colloquy-owner-'));
  server = await startPostgres({ dataDir: join(folder, 'postgres'), durable: false, databases: [] });
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

async function ask(url: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<object>(text)).rows;
  } finally {
    await client.end();
  }
}

it('creates an owner for migrations, and leaves the superuser without a password', async () => {
  await ask(server.url('postgres'), 'create database content');
  await ask(server.url('content'), readFileSync('deploy/postgres/owner.sql', 'utf8'));
  await expect(ask(server.url('content'), 'select 1')).rejects.toMatchObject({ code: '28P01' });
  const owner = new URL(server.url('content'));
  owner.username = 'content';
  expect(
    await ask(owner.toString(), 'select rolsuper, rolbypassrls from pg_roles where rolname = session_user'),
  ).toEqual([{ rolsuper: false, rolbypassrls: false }]);
  const source = createDataSource({ url: owner.toString(), role: 'owner', poolSize: 1 });
  await source.initialize();
  await source.runMigrations();
  await setPasswords(source, {
    api: decodeURIComponent(new URL(asLogin(owner.toString(), '')).password),
    worker: undefined,
  });
  await source.destroy();
  expect(await ask(asLogin(owner.toString(), LOGINS.api), 'set role colloquy_api')).toEqual([]);
  await expect(ask(asLogin(owner.toString(), LOGINS.worker), 'select 1')).rejects.toMatchObject({ code: '28P01' });
});
