// Each process has its own login: it can only assume the roles of its process, and no statement gets it further.
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { newUuid } from '../../src/common/ids.js';
import { LOGINS, type ProcessName } from '../../src/database/logins.js';
import { OWNER } from '../../src/embedded/postgres/postgres-owner.js';
import { asLogin, createTestDatabases, type TestDatabases } from '../support/databases.js';

const DENIED = { code: '42501' };
const CONTENT_ROLES = ['colloquy_api', 'colloquy_ingest', 'colloquy_worker'];
const KEYSTORE_ROLES = ['colloquy_keystore_api', 'colloquy_keystore_worker'];
const SEARCH_ROLES = ['colloquy_search_api', 'colloquy_search_worker'];
const MAY_BECOME: Record<ProcessName, string[]> = {
  api: ['colloquy_api', 'colloquy_ingest', 'colloquy_keystore_api', 'colloquy_search_api'],
  worker: ['colloquy_worker', 'colloquy_keystore_worker', 'colloquy_search_worker'],
};
const PROCESSES: ProcessName[] = ['api', 'worker'];

let databases: TestDatabases;
const clients: Client[] = [];

beforeAll(async () => {
  databases = await createTestDatabases(inject('services').postgresUrl);
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.end();
});
afterAll(() => databases.drop());

async function open(url: string, role?: string): Promise<Client> {
  const client = new Client({ connectionString: url, ...(role !== undefined && { options: `-c role=${role}` }) });
  clients.push(client);
  await client.connect();
  return client;
}

describe.each(PROCESSES)('the login of the %s', (process) => {
  const content = (role?: string): Promise<Client> => open(databases.settingsOf(process).DATABASE_URL, role);
  const keystore = (role?: string): Promise<Client> => open(databases.settingsOf(process).KEYSTORE_DATABASE_URL, role);

  const search = (role?: string): Promise<Client> => open(databases.settingsOf(process).SEARCH_DATABASE_URL, role);

  it('is no superuser, owns nothing, creates nothing, and bypasses no policy', async () => {
    const client = await content();
    const { rows } = await client.query(
      `select rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication, rolinherit,
        (select count(*)::int from pg_class where relowner = r.oid) as owned from pg_roles r where rolname = session_user`,
    );
    expect(rows).toEqual([
      {
        rolsuper: false,
        rolcreaterole: false,
        rolcreatedb: false,
        rolbypassrls: false,
        rolreplication: false,
        rolinherit: false,
        owned: 0,
      },
    ]);
    await expect(client.query('create table mine ()')).rejects.toMatchObject(DENIED);
  });

  it('can assume the roles of its process, and no other', async () => {
    const client = await content();
    for (const role of [...CONTENT_ROLES, ...KEYSTORE_ROLES, ...SEARCH_ROLES]) {
      const becoming = client.query(`set role ${role}`);
      if (MAY_BECOME[process].includes(role)) await becoming;
      else await expect(becoming, role).rejects.toMatchObject(DENIED);
    }
    const others = [OWNER, 'postgres', ...Object.values(LOGINS).filter((login) => login !== LOGINS[process])];
    for (const role of others) await expect(client.query(`set role ${role}`), role).rejects.toMatchObject(DENIED);
  });

  it('has no rights of its own, whatever it resets', async () => {
    const inContent = await content(`colloquy_${process}`);
    const inKeystore = await keystore(`colloquy_keystore_${process}`);
    const inSearch = await search(`colloquy_search_${process}`);
    for (const [client, table] of [
      [inContent, 'conversations'],
      [inKeystore, 'data_keys'],
      [inKeystore, 'conversation_keys'],
      [inSearch, 'blind_indexes'],
    ] as const) {
      for (const statement of ['set role none', 'set session authorization default', 'reset all']) {
        await client.query(statement);
        await client.query('set role none');
        await expect(client.query(`select 1 from ${table}`), statement).rejects.toMatchObject(DENIED);
      }
      await expect(client.query('set session authorization postgres')).rejects.toMatchObject(DENIED);
      await expect(client.query(`alter table ${table} disable row level security`)).rejects.toMatchObject(DENIED);
    }
  });
});

describe('the API', () => {
  it('sees only the rows of its scope, even with statements of its own', async () => {
    const owner = await open(databases.databaseUrl);
    const [mine, theirs] = [newUuid(), newUuid()];
    await owner.query("insert into clients (id, sealed) values ($1, ''), ($2, '')", [mine, theirs]);
    const client = await open(databases.settingsOf('api').DATABASE_URL, 'colloquy_api');
    await expect(client.query('select id from clients')).rejects.toThrow(/app.scope|app.clients/);
    await client.query("select set_config('app.scope', 'some', false), set_config('app.clients', $1, false)", [
      `{${mine}}`,
    ]);
    expect((await client.query('select id from clients')).rows).toEqual([{ id: mine }]);
    await expect(client.query("insert into clients (id, sealed) values ($1, '')", [newUuid()])).rejects.toMatchObject(
      DENIED,
    );
  });

  it('tells the outbox of backfills of its own accounts, and of nothing else', async () => {
    const owner = await open(databases.databaseUrl);
    const [mine, theirs] = [newUuid(), newUuid()];
    for (const id of [mine, theirs]) {
      await owner.query("insert into clients (id, sealed) values ($1, '')", [id]);
      await owner.query(
        "insert into provider_accounts (id, client_id, provider, sealed, deadlines) values ($1, $1, 'retell', '', '{}')",
        [id],
      );
    }
    const client = await open(databases.settingsOf('api').DATABASE_URL, 'colloquy_api');
    await client.query("select set_config('app.scope', 'some', false), set_config('app.clients', $1, false)", [
      `{${mine}}`,
    ]);
    const add = 'insert into workflow_commands (workflow, entity_id, kind) values ($1, $2, $3)';
    await client.query(add, ['reconciliation', mine, 'asked']);
    await client.query('insert into account_rearms (provider_account_id) values ($1)', [mine]);
    for (const refused of [
      ['reconciliation', theirs, 'asked'],
      ['reconciliation', mine, 'restart'],
      ['conversation', mine, 'asked'],
    ])
      await expect(client.query(add, refused), refused.join()).rejects.toMatchObject(DENIED);
    const rearm = client.query('insert into account_rearms (provider_account_id) values ($1)', [theirs]);
    await expect(rearm).rejects.toMatchObject(DENIED);
  });

  it.each([
    "insert into workflow_commands (workflow, entity_id, kind, attempts) values ('reconciliation', gen_random_uuid(), 'asked', 1)",
    'select 1 from workflow_commands',
    'delete from workflow_commands',
    'select 1 from account_rearms',
    'select 1 from reconciler_passes',
    'insert into conversations (id) select gen_random_uuid()',
    'update conversations set revision = 1',
    'delete from clients',
    'delete from api_keys',
    'update journal set action = action',
    'delete from journal',
    'delete from journal_listed',
    'insert into journal_pending (position) values (1)',
    'delete from journal_pending',
    'insert into journal_sequence (seq, position, leaf, client_id, hash, version) select 1, 1, 0, gen_random_uuid(), $$$$, 1',
    'select sealed from inbox',
    'insert into migrations (timestamp, name) values (1, $$x$$)',
  ])('is denied: %s', async (statement) => {
    const client = await open(databases.settingsOf('api').DATABASE_URL, 'colloquy_api');
    await client.query("select set_config('app.scope', 'all', false), set_config('app.clients', '{}', false)");
    await expect(client.query(statement)).rejects.toMatchObject(DENIED);
  });

  it.each([
    'delete from data_keys',
    "update data_keys set wrapped = ''",
    'update keks set wrapped = wrapped',
    'delete from keks',
    "insert into data_keys (purpose, owner, destroyed_at) values ('client', gen_random_uuid(), now())",
    'delete from conversation_keys',
    'update conversation_keys set audio = null, parked = null, destroyed_at = now()',
    'insert into conversation_keys (conversation_id, destroyed_at) values (gen_random_uuid(), now())',
    'insert into keys_marked_for_deletion (conversation_id) select conversation_id from conversation_keys',
  ])('cannot destroy a key: %s', async (statement) => {
    const client = await open(databases.settingsOf('api').KEYSTORE_DATABASE_URL, 'colloquy_keystore_api');
    await expect(client.query(statement)).rejects.toMatchObject(DENIED);
  });
});

describe('the API in the search database', () => {
  it.each([
    "insert into blind_indexes values (gen_random_uuid(), 'tag', '', now(), gen_random_uuid())",
    'delete from blind_indexes',
    'select 1 from indexed_conversations',
    'update search_state set complete = true',
  ])('is denied: %s', async (statement) => {
    const client = await open(databases.settingsOf('api').SEARCH_DATABASE_URL, 'colloquy_search_api');
    await expect(client.query(statement)).rejects.toMatchObject(DENIED);
  });
});

describe('the webhook door', () => {
  it.each([
    'select 1 from conversations',
    'select 1 from api_keys',
    'select 1 from clients',
    'select 1 from journal',
    'update provider_accounts set revision = 1',
    'delete from inbox',
  ])('is denied: %s', async (statement) => {
    const client = await open(databases.settingsOf('api').DATABASE_URL, 'colloquy_ingest');
    await expect(client.query(statement)).rejects.toMatchObject(DENIED);
  });
});

describe('the worker', () => {
  it.each([
    "insert into api_keys (id, role, all_clients, hash, prefix, sealed) values (gen_random_uuid(), 'admin', true, '', '', '')",
    'select hash from api_keys',
    'update api_keys set revoked_at = null',
    'update clients set revision = 1',
    'update provider_accounts set revision = 1',
    'delete from conversations',
    'update journal set action = action',
    'delete from journal',
    'update journal_sequence set seq = seq',
    'delete from journal_sequence',
    'insert into journal_pending (position) values (1)',
  ])('is denied: %s', async (statement) => {
    const client = await open(databases.settingsOf('worker').DATABASE_URL, 'colloquy_worker');
    await expect(client.query(statement)).rejects.toMatchObject(DENIED);
  });

  it('cannot replace a key-encryption key', async () => {
    const client = await open(databases.settingsOf('worker').KEYSTORE_DATABASE_URL, 'colloquy_keystore_worker');
    await expect(client.query('update keks set wrapped = wrapped')).rejects.toMatchObject(DENIED);
  });
});

describe('the login that migrates', () => {
  it('is no superuser either', async () => {
    const client = await open(asLogin(databases.databaseUrl, OWNER));
    const { rows } = await client.query('select rolsuper, rolbypassrls from pg_roles where rolname = session_user');
    expect(rows).toEqual([{ rolsuper: false, rolbypassrls: false }]);
  });
});
