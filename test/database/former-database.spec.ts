// A database created by migrations of an earlier version: every way to use it refuses in one sentence and changes nothing. Starts
// the built programs (npm's pretest).
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { createDataSource } from '../../src/database/data-source.js';
import { migrationState } from '../../src/database/migration-state.js';
import { OWNER } from '../../src/embedded/postgres/postgres-owner.js';
import { keystoreDataSource } from '../../src/vault/keystore/keystore-data-source.js';
import { asLogin, createTestDatabases, type TestDatabases } from '../support/databases.js';
import { startProgram } from '../support/programs.js';
import { Checkout } from '../up/support/checkout.js';

const sentence = (name: string): string =>
  `the ${name} database was created by an earlier version, whose data cannot be migrated: start with empty databases, ` +
  'or an empty data folder (nothing was changed)';
const FORMER = [1795424400000, 'CreateFormer1795424400000'];
const LATER = [1900000000000, 'CreateLater1900000000000'];

let databases: TestDatabases;

beforeEach(async () => {
  databases = await createTestDatabases(inject('services').postgresUrl);
});
afterEach(() => databases.drop());

async function ask<Row extends object>(url: string, text: string, values: unknown[] = []): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(text, values)).rows;
  } finally {
    await client.end();
  }
}

/** What an earlier version left: its migrations, and tables that are not ours. */
async function makeFormer(url: string): Promise<void> {
  await ask(url, 'drop schema public cascade');
  await ask(url, `create schema public authorization ${OWNER}; grant usage on schema public to public`);
  const owner = asLogin(url, OWNER);
  await ask(owner, 'create table migrations (id serial primary key, timestamp bigint not null, name varchar not null)');
  await ask(owner, 'grant select on migrations to public');
  await ask(owner, 'create table wakes (id bigint)');
  await ask(owner, 'insert into migrations (timestamp, name) values ($1, $2)', FORMER);
}

/** Everything that a migration could change. */
const contentOf = (url: string): Promise<object[]> =>
  ask(
    url,
    `select c.relname::text, c.relacl::text, c.xmin::text, a.attname::text from pg_class c left join pg_attribute a on a.attrelid = c.oid
     where c.relnamespace = 'public'::regnamespace
     union all select name, timestamp::text, xmin::text, null from migrations order by 1, 4`,
  );

const asOwner = (): Record<string, string> => ({
  DATABASE_URL: asLogin(databases.databaseUrl, OWNER),
  KEYSTORE_DATABASE_URL: asLogin(databases.keystoreUrl, OWNER),
  SEARCH_DATABASE_URL: asLogin(databases.searchUrl, OWNER),
});

describe.each(['content', 'keystore'])('a %s database of an earlier version', (name) => {
  let url: string;

  beforeEach(async () => {
    url = name === 'content' ? databases.databaseUrl : databases.keystoreUrl;
    await makeFormer(url);
  });

  it('is refused by "colloquy migrate", which changes neither it nor the other one', async () => {
    const other = name === 'content' ? databases.keystoreUrl : databases.databaseUrl;
    await ask(other, 'drop schema public cascade');
    await ask(other, `create schema public authorization ${OWNER}`);
    const before = await contentOf(url);
    const migrate = startProgram('cli', asOwner(), ['migrate']);
    expect(await migrate.ended).toBe(1);
    expect(migrate.said()).toBe(`${sentence(name)}\n`);
    expect(await contentOf(url)).toEqual(before);
    expect(await ask(other, "select from pg_class where relnamespace = 'public'::regnamespace")).toEqual([]);
  });

  const [process, program] = name === 'content' ? (['api', 'main'] as const) : (['worker', 'worker'] as const);

  it(`is refused by the ${process} at its start`, async () => {
    const env = { ...databases.settingsOf(process), TEMPORAL_ADDRESS: inject('services').temporalAddress, PORT: '0' };
    const started = startProgram(program, env);
    expect(await started.ended).toBe(1);
    expect(started.said()).toBe(`${sentence(name)}\n`);
  });
});

it('a content database of an earlier version is refused by "npm run up" if the settings name it', async () => {
  await makeFormer(databases.databaseUrl);
  const checkout = new Checkout();
  try {
    const run = checkout.up({ ...asOwner(), TEMPORAL_ADDRESS: inject('services').temporalAddress, PORT: '0' });
    expect(await run.ended).toBe(1);
    expect(run.stderr()).toContain(sentence('content'));
    expect(run.stderr().trim().split('\n')).toHaveLength(1);
  } finally {
    await checkout.remove();
  }
});

describe('a database that a later version has migrated', () => {
  it('is neither outdated nor refused: processes of both versions may run side by side', async () => {
    const sources = [
      createDataSource({ url: databases.databaseUrl, role: 'owner', poolSize: 1 }),
      keystoreDataSource(databases.keystoreUrl),
    ];
    for (const source of sources) {
      await source.initialize();
      await source.query('insert into migrations (timestamp, name) values ($1, $2)', LATER);
      expect(await migrationState(source)).toEqual({ pending: [], isFromEarlierVersion: false });
      await source.query('update migrations set timestamp = $1, name = $2 where name like $$CreateLater%$$', FORMER);
      expect(await migrationState(source)).toEqual({ pending: [], isFromEarlierVersion: true });
      await source.destroy();
    }
  });
});
