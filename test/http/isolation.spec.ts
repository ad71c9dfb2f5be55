// Nothing crosses from one client to another: by row-level security, and by what every route answers.
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Log } from '../../src/common/log.js';
import { createDataSource } from '../../src/database/data-source.js';
import { WorkerDatabase } from '../../src/database/database.js';
import { Notifier } from '../../src/database/notifier.js';
import { Intake } from '../../src/intake/intake.js';
import { ProviderAccounts } from '../../src/providers/provider-accounts.js';
import { newUuid, publicId, uuidOf } from '../../src/common/ids.js';
import { VaultService } from '../../src/vault/vault.service.js';
import { CONTRACT } from './contract.js';
import { startHttpApp, type Called, type HttpApp } from './http-app.js';

let http: HttpApp;
/** Ids of objects of the other client, by the beginning of their routes. */
const foreign: Record<string, string> = {};
let otherClient: string;
/** Every right there is, for a client that has nothing. */
const strangers: string[] = [];

const make = async (url: string, body: object): Promise<Called> => http.call('POST', url, { body });
const idOf = ({ body }: Called): string => String(body['id']);

beforeAll(async () => {
  http = await startHttpApp();
  otherClient = idOf(await make('/v1/clients', { name: 'Other' }));
  const ownClient = idOf(await make('/v1/clients', { name: 'Own' }));
  const account = { provider: 'retell', name: 'A', client_id: otherClient, api_key: 'key_other' };
  foreign['clients'] = otherClient;
  foreign['agents'] = idOf(await make('/v1/agents', { client_id: otherClient, name: 'A' }));
  foreign['provider-accounts'] = idOf(await make('/v1/provider-accounts', account));
  foreign['api-keys'] = idOf(await make('/v1/api-keys', { name: 'K', role: 'admin', client_ids: [otherClient] }));
  foreign['conversations'] = await makeConversation(foreign['provider-accounts'], 'key_other');
  foreign['parked-facts'] = await makeParkedFact(foreign['provider-accounts']);
  for (const role of ['admin', 'supervisor', 'compliance', 'operator']) {
    const key = await make('/v1/api-keys', { name: role, role, client_ids: [ownClient] });
    strangers.push(String(key.body['secret']));
  }
});
afterAll(() => http.stop());

/** A call that Retell tells of, applied by intake. */
async function makeConversation(accountId: string, apiKey: string): Promise<string> {
  const call = { call_id: 'call_1', call_type: 'phone_call', agent_id: 'agent_1', call_status: 'ongoing' };
  const body = JSON.stringify({ event: 'call_started', call: { ...call, start_timestamp: Date.now() } });
  const at = String(Date.now());
  const digest = createHmac('sha256', apiKey).update(body).update(at).digest('hex');
  const headers = { 'x-retell-signature': `v=${at},d=${digest}`, 'content-type': 'application/json' };
  expect((await http.call('POST', `/v1/webhooks/${accountId}`, { key: null, body, headers })).status).toBe(200);
  const source = createDataSource({ url: http.databaseUrl, role: 'colloquy_worker', poolSize: 2 });
  const database = new WorkerDatabase(await source.initialize());
  const vault = http.app.get(VaultService);
  const accounts = new ProviderAccounts(database, vault);
  const storeAudio = () => Promise.reject(new Error('no webhook of this test holds audio'));
  const [notifier, log] = [new Notifier(database), new Log('silent')];
  const intake = new Intake({ database, vault, accounts, notifier, log, storeAudio });
  expect(await intake.round()).toBe(1);
  await database.close();
  const [row] = await http.sql<{ id: string }>('select id from conversations');
  return publicId('conversation', row?.id ?? '');
}

/** A fact that intake has given up. */
async function makeParkedFact(accountId: string): Promise<string> {
  const id = newUuid();
  await http.sql(
    `insert into inbox (id, provider_account_id, source, kind, hash, received_at, key_day, sealed, state, parked_at, parked_reason)
     values ($1, $2, 'webhook', 'call_ended', '\\x00', now(), current_date, '\\x00', 'parked', now(), 'open_failed')`,
    [id, uuidOf('providerAccount', accountId)],
  );
  return publicId('parkedFact', id);
}

describe('tables', () => {
  it('with a client_id have row-level security, enabled, forced and with a policy', async () => {
    const tables = await http.sql<{ name: string; enabled: boolean; forced: boolean; policies: number }>(`
      select c.relname as name, c.relrowsecurity as enabled, c.relforcerowsecurity as forced,
        (select count(*)::integer from pg_policy p where p.polrelid = c.oid) as policies
      from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'client_id' and not a.attisdropped
      where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace order by 1`);
    expect(tables.length).toBeGreaterThan(8);
    const open = tables.filter(({ enabled, forced, policies }) => !enabled || !forced || policies === 0);
    expect(open.map(({ name }) => name)).toEqual([]);
  });

  it('cannot be read around it: no role of the processes bypasses it or owns a table', async () => {
    const roles = await http.sql<{ name: string }>(`
      select rolname as name from pg_roles
      where rolname like 'colloquy%' and (rolbypassrls or rolsuper
        or exists (select 1 from pg_class c where c.relowner = pg_roles.oid))`);
    expect(roles).toEqual([]);
  });

  it('give the API nothing without a scope', async () => {
    const source = createDataSource({ url: http.databaseUrl, role: 'colloquy_api', poolSize: 1 });
    await source.initialize();
    for (const table of ['clients', 'agents', 'conversations', 'journal']) {
      await expect(source.query(`select 1 from ${table}`)).rejects.toThrow();
    }
    await source.destroy();
  });
});

describe("another client's ids", () => {
  it('are 404 on every route, for every role', async () => {
    const routes = CONTRACT.filter(({ url, right }) => url.includes(':') && right !== null);
    const missing = routes.filter(({ url }) => foreign[url.split('/')[2] ?? ''] === undefined);
    expect(missing).toEqual([]);
    for (const { method, url } of routes) {
      const path = url.replace(/:\w+/, foreign[url.split('/')[2] ?? ''] ?? '');
      const body = method === 'PATCH' ? { name: 'Stolen' } : undefined;
      const answers = await Promise.all(
        strangers.map((key) => http.call(method, path, { key, ...(body && { body }) })),
      );
      const open = answers.filter(({ status }) => status !== 403);
      expect(open.length, `${method} ${url} has a role that may call it`).toBeGreaterThan(0);
      expect(new Set(open.map(({ body: { code } }) => code)), `${method} ${url}`).toEqual(new Set(['not_found']));
    }
  });

  it('are 404 while their owner reads the very same ones', async () => {
    const path = `/v1/conversations/${foreign['conversations']}/transcript`;
    const ask = (key: string): Promise<number> => http.call('GET', path, { key }).then(({ status }) => status);
    const [stranger] = strangers.slice(1);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => ask(index % 2 === 0 ? http.readKey : (stranger ?? ''))),
    );
    expect(answers).toEqual(Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? 200 : 404)));
  });

  it('stay as they were', async () => {
    const readable = Object.entries(foreign).filter(([kind]) =>
      CONTRACT.some(({ method, url }) => method === 'GET' && url === `/v1/${kind}/:id`),
    );
    expect(readable.length).toBeGreaterThan(4);
    for (const [kind, id] of readable) {
      const key = kind === 'conversations' ? http.readKey : http.adminKey;
      const { status, body } = await http.call('GET', `/v1/${kind}/${id}`, { key });
      expect([kind, status, body['name'] === 'Stolen']).toEqual([kind, 200, false]);
    }
  });

  it('make lists empty, as a filter and without one', async () => {
    const lists = CONTRACT.filter(
      ({ method, url }) => method === 'GET' && !url.includes(':') && url.startsWith('/v1/'),
    );
    for (const { url } of lists) {
      const filter = `${url}?client_id=${otherClient}`;
      for (const key of strangers) {
        const { status, body, text } = await http.call('GET', filter, { key });
        if (status === 403 || body['code'] === 'unknown_field') continue;
        expect([filter, body['data']]).toEqual([filter, []]);
        expect(text).not.toContain(otherClient);
      }
      const all = await Promise.all(strangers.map((key) => http.call('GET', url, { key })));
      for (const { text } of all) for (const id of Object.values(foreign)) expect(text).not.toContain(id);
    }
  });

  it('are 404 in bodies too', async () => {
    const [admin] = strangers;
    const bodies: [string, object][] = [
      ['/v1/agents', { client_id: otherClient, name: 'A' }],
      ['/v1/provider-accounts', { provider: 'retell', name: 'A', client_id: otherClient, api_key: 'k' }],
      ['/v1/api-keys', { name: 'A', role: 'admin', client_ids: [otherClient] }],
    ];
    for (const [url, body] of bodies) {
      const answer = await http.call('POST', url, { key: admin ?? '', body });
      expect([url, answer.status, answer.body['code']]).toEqual([url, 404, 'not_found']);
    }
  });
});
