// A failover without a reset: open connections fall silent, new ones work. Everything must be back within seconds.
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { createDataSource } from '../../src/database/data-source.js';
import { IngestDatabase } from '../../src/database/database.js';
import { SearchDatabase } from '../../src/database/search/search-database.js';
import { searchDataSource } from '../../src/database/search/search-data-source.js';
import { Listener } from '../../src/database/notifier.js';
import { keystoreDataSource } from '../../src/vault/keystore/keystore-data-source.js';
import { startHttpApp, type Called, type HttpApp } from '../http/http-app.js';
import { sendRetell } from '../http/webhooks.js';
import { createTestDatabases } from '../support/databases.js';
import { startDarkProxy, through, placeOf, type Dark, type DarkProxy } from '../support/dark-proxy.js';
import { eventually } from '../support/eventually.js';

const REQUESTS = 12;
/** Enough for all responses; a silent connection is given up after 4 s. */
const ANSWER_MS = 10_000;

let proxy: DarkProxy;

beforeAll(async () => {
  proxy = await startDarkProxy(placeOf(inject('services').postgresUrl));
});
afterAll(() => proxy.close());

/** Several at once, so that every connection of a pool is used and idle afterwards. */
const many = (count: number, call: (index: number) => Promise<Called>): Promise<Called[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => call(index)));

/** All get a response in time, some of them the error for what is unavailable. */
async function answered(calls: () => Promise<Called[]>, code: string): Promise<void> {
  const begun = performance.now();
  const answers = await calls();
  expect(performance.now() - begun).toBeLessThan(ANSWER_MS);
  const failed = answers.filter(({ status }) => status >= 400);
  expect(failed.length).toBeGreaterThan(0);
  for (const { status, body } of failed) expect([status, body['code']]).toEqual([503, code]);
}

async function allDone(calls: () => Promise<Called[]>): Promise<void> {
  const begun = performance.now();
  for (const { status } of await calls()) expect(status).toBeLessThan(300);
  expect(performance.now() - begun).toBeLessThan(3_000);
}

describe('webhooks while the content database is dark', () => {
  let http: HttpApp;
  let account: { id: string; secret: string };

  beforeAll(async () => {
    http = await startHttpApp(({ settingsOf }) => ({
      DATABASE_URL: through(proxy, settingsOf('api').DATABASE_URL),
    }));
    const { body: client } = await http.call('POST', '/v1/clients', { body: { name: 'test' } });
    const secret = 'key_dark';
    const wanted = { provider: 'retell', name: 'test', client_id: client['id'], api_key: secret };
    const { body } = await http.call('POST', '/v1/provider-accounts', { body: wanted });
    account = { id: String(body['id']), secret };
  });
  afterAll(() => http.stop());

  const send = (callId: string): Promise<Called> =>
    sendRetell(http, account, 'call_started', { call_id: callId, agent_id: 'agent', call_type: 'web_call' });
  const stored = async (): Promise<number> =>
    (await http.sql<{ n: number }>('select count(*)::int as n from inbox'))[0]?.n ?? 0;

  it.each<Dark>(['both ways', 'to the server', 'to the client'])(
    'are answered, and stored when they are sent again: dark %s',
    async (dark) => {
      await many(30, (index) => send(`before-${dark}-${index}`));
      // However many of its six connections the door needed: all are open when they fall silent.
      const pool = http.app.get(IngestDatabase, { strict: false });
      await Promise.all(Array.from({ length: 6 }, () => pool.ping()));
      const before = await stored();
      proxy.goDark(dark);
      await answered(() => many(REQUESTS, (index) => send(`after-${dark}-${index}`)), 'storage_unavailable');
      // What a provider does after a 503. No second silence: the idle connections were closed after the first.
      await allDone(() => many(REQUESTS, (index) => send(`after-${dark}-${index}`)));
      expect(await stored()).toBe(before + REQUESTS);
    },
  );
});

describe('requests that need a new key while the keystore is dark', () => {
  let http: HttpApp;

  beforeAll(async () => {
    http = await startHttpApp(({ settingsOf }) => ({
      KEYSTORE_DATABASE_URL: through(proxy, settingsOf('api').KEYSTORE_DATABASE_URL),
    }));
  });
  afterAll(() => http.stop());

  const create = (): Promise<Called> => http.call('POST', '/v1/clients', { body: { name: 'test' } });

  it('get a response', async () => {
    await many(REQUESTS, create);
    proxy.goDark('both ways');
    await answered(() => many(REQUESTS, create), 'keystore_unavailable');
    await allDone(() => many(REQUESTS, create));
  });
});

describe('the search database while it is dark', () => {
  it('is given up by its caller, and queried again on a new connection', async () => {
    const databases = await createTestDatabases(inject('services').postgresUrl);
    const url = through(proxy, databases.settingsOf('api').SEARCH_DATABASE_URL);
    const search = new SearchDatabase(searchDataSource({ url, role: 'colloquy_search_api', poolSize: 2 }));
    await search.ping();
    proxy.goDark('both ways');
    const begun = performance.now();
    await expect(search.ping()).rejects.toMatchObject({ code: 'search_unavailable' });
    expect(performance.now() - begun).toBeLessThan(ANSWER_MS);
    await search.ping();
    await search.close();
    await databases.drop();
  });
});

describe('a connection', () => {
  const sources: IngestDatabase[] = [];
  afterEach(async () => {
    for (const source of sources.splice(0)) await source.close();
  });
  const open = async (http: HttpApp): Promise<IngestDatabase> => {
    const source = createDataSource({ url: http.databaseUrl, role: 'colloquy_ingest', poolSize: 2 });
    const database = new IngestDatabase(await source.initialize());
    sources.push(database);
    return database;
  };
  let http: HttpApp;
  beforeAll(async () => {
    http = await startHttpApp();
  });
  afterAll(() => http.stop());

  it('that waits too long for a lock or a response is aborted by Postgres, and can be used again', async () => {
    const database = await open(http);
    const [{ pid } = { pid: 0 }] = await database.once<{ pid: number }>('all', {
      text: 'select pg_backend_pid() as pid',
    });
    await http.sql('begin');
    await http.sql('lock table inbox in access exclusive mode');
    await expect(database.once('all', { text: 'select 1 from inbox' })).rejects.toMatchObject({
      code: 'storage_unavailable',
    });
    await http.sql('rollback');
    await expect(database.once('all', { text: 'select pg_sleep(60)' })).rejects.toMatchObject({
      code: 'storage_unavailable',
    });
    expect(await database.once('all', { text: 'select pg_backend_pid() as pid' })).toEqual([{ pid }]);
  });

  it('whose process is silent within a transaction is ended by Postgres, which releases its locks', async () => {
    const database = await open(http);
    const begun = database.withScope('all', async (tx) => {
      await tx.query({ text: 'select 1' });
      await eventually(async () => {
        const rows = await http.sql(
          "select 1 from pg_stat_activity where application_name = 'colloquy_ingest' and state = 'idle in transaction'",
        );
        return rows.length === 0;
      });
      return tx.query({ text: 'select 1' });
    });
    await expect(begun).rejects.toMatchObject({ code: 'storage_unavailable' });
  });
});

describe('a listening connection', () => {
  it('that falls silent is replaced, and receives notifications again', async () => {
    const url = inject('services').postgresUrl;
    let heard = 0;
    const listener = new Listener(through(proxy, url), 'colloquy_inbox', () => (heard += 1));
    const running = listener.start();
    await eventually(() => Promise.resolve(heard === 1));
    const opened = proxy.opened;
    proxy.goDark('both ways');
    await eventually(() => Promise.resolve(heard === 2), 12);
    expect(proxy.opened).toBe(opened + 1);
    const notifier = new Client({ connectionString: url });
    await notifier.connect();
    await notifier.query('notify colloquy_inbox');
    await notifier.end();
    await eventually(() => Promise.resolve(heard === 3));
    listener.stop();
    await running;
  });
});

describe('a keystore that accepts connections but never answers', () => {
  it('is given up by a starting process, which then reports it and tries again', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const source = keystoreDataSource(`postgres://nobody@127.0.0.1:${port}/keystore`, 'colloquy_keystore_api');
    await expect(source.initialize()).rejects.toThrow('timeout');
    silent.close();
  }, 10_000);
});
