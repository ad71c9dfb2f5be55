import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newUuid, publicId, uuidOf } from '../../src/common/ids.js';
import { SYSTEM_CLIENT } from '../../src/vault/vault.service.js';
import { startHttpApp, type Called, type HttpApp } from './http-app.js';

let http: HttpApp;

beforeAll(async () => {
  http = await startHttpApp({
    COLLOQUY_PUBLIC_URL: 'https://colloquy.example',
    COLLOQUY_EGRESS_ALLOW: '127.0.0.1:4000',
  });
});
afterAll(() => http.stop());

const idOf = ({ body }: Called): string => String(body['id']);
const post = (url: string, body: unknown, headers = {}): Promise<Called> => http.call('POST', url, { body, headers });
const makeClient = async (name = 'Acme'): Promise<string> => idOf(await post('/v1/clients', { name }));
const journal = (objectUuid: string) =>
  http.sql<{ client_id: string; action: string; changes: string[]; actor_type: string }>(
    'select client_id, action, changes, actor_type from journal where $1 = any(object_ids) order by position',
    [objectUuid],
  );

describe('clients', () => {
  it('creates, reads, changes and lists one, with journal entries', async () => {
    const made = await post('/v1/clients', { name: 'Northwind Dental', default_region: 'US' });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ object: 'client', name: 'Northwind Dental', default_region: 'US' });
    const id = idOf(made);
    const changed = await http.call('PATCH', `/v1/clients/${id}`, {
      body: { name: 'Northwind', default_region: null },
    });
    expect(changed.status).toBe(200);
    expect((await http.call('GET', `/v1/clients/${id}`)).body).toEqual(changed.body);
    expect(changed.body).toMatchObject({ name: 'Northwind', default_region: null });
    const uuid = uuidOf('client', id);
    expect(await journal(uuid)).toEqual([
      { client_id: uuid, action: 'client.created', changes: [], actor_type: 'key' },
      { client_id: uuid, action: 'client.updated', changes: ['name', 'default_region'], actor_type: 'key' },
    ]);
  });

  it('keeps the name out of every plain column', async () => {
    const id = uuidOf('client', await makeClient('Canary Wharf Clinic'));
    const [row] = await http.sql<{ text: string }>('select clients::text as text from clients where id = $1', [id]);
    expect(row?.text).not.toContain(Buffer.from('Canary').toString('hex'));
    expect(row?.text).toContain(id);
  });

  it('writes nothing if a change changes nothing', async () => {
    const id = await makeClient('Same');
    const answer = await http.call('PATCH', `/v1/clients/${id}`, { body: { name: 'Same' } });
    expect(answer.headers['etag']).toBe('"1"');
    expect(await journal(uuidOf('client', id))).toHaveLength(1);
  });

  it.each([
    [{}, 'invalid_request', '/name'],
    [{ name: '' }, 'invalid_request', '/name'],
    [{ name: 'a\nb' }, 'invalid_request', '/name'],
    [{ name: 'x'.repeat(201) }, 'invalid_request', '/name'],
    [{ name: 'A', default_region: 'XX' }, 'invalid_request', '/default_region'],
    [{ name: 'A', colour: 'red' }, 'unknown_field', '/colour'],
  ])('refuses %j with %s', async (body, code, pointer) => {
    const answer = await post('/v1/clients', body);
    expect(answer.status).toBe(400);
    expect(answer.body['code']).toBe(code);
    expect(answer.body['errors']).toEqual([{ pointer, detail: expect.any(String) }]);
  });

  it('answers 404 for an unknown id, 400 invalid_id for a malformed one', async () => {
    const unknown = await http.call('GET', `/v1/clients/${publicId('client', newUuid())}`);
    expect([unknown.status, unknown.body['code']]).toEqual([404, 'not_found']);
    const malformed = await http.call('GET', '/v1/clients/agt_nope');
    expect([malformed.status, malformed.body['code']]).toEqual([400, 'invalid_id']);
    expect(malformed.body['errors']).toEqual([{ parameter: 'id', detail: 'must be an id that begins with cl_' }]);
  });

  it('answers 405 with the allowed methods if a client should be deleted', async () => {
    const answer = await http.call('DELETE', `/v1/clients/${await makeClient()}`);
    expect([answer.status, answer.body['code']]).toEqual([405, 'method_not_allowed']);
    expect(answer.headers['allow']).toBe('GET, HEAD, PATCH');
  });
});

describe('versions', () => {
  it('answers 304 for the version that the caller has, 412 for a change of another one', async () => {
    const url = `/v1/clients/${await makeClient()}`;
    const first = await http.call('GET', url);
    const etag = String(first.headers['etag']);
    const same = await http.call('GET', url, { headers: { 'if-none-match': `"9", W/${etag}` } });
    expect([same.status, same.text]).toEqual([304, '']);
    const changed = await http.call('PATCH', url, { body: { name: 'B' }, headers: { 'if-match': etag } });
    expect(changed.status).toBe(200);
    const late = await http.call('PATCH', url, { body: { name: 'C' }, headers: { 'if-match': etag } });
    expect([late.status, late.body['code']]).toEqual([412, 'precondition_failed']);
    expect((await http.call('GET', url, { headers: { 'if-none-match': etag } })).body['name']).toBe('B');
  });
});

describe('pages', () => {
  it('walks a list completely, by cursor and Link', async () => {
    const clientId = await makeClient();
    const names = ['a', 'b', 'c', 'd', 'e'];
    for (const name of names) await post('/v1/agents', { client_id: clientId, name });
    const seen: string[] = [];
    let url = `/v1/agents?client_id=${clientId}&limit=2`;
    for (let pages = 0; pages < 3; pages += 1) {
      const page = await http.call('GET', url);
      seen.push(...(page.body['data'] as { name: string }[]).map(({ name }) => name));
      expect(page.body['has_more']).toBe(pages < 2);
      const next = /^<([^>]+)>; rel="next"$/.exec(page.headers['link'] ?? '')?.[1];
      expect(next === undefined).toBe(page.body['next_cursor'] === null);
      url = next ?? '';
    }
    expect(seen).toEqual(names);
  });

  it('refuses a cursor of another filter, a tampered one, and limits out of range', async () => {
    const clientId = await makeClient();
    for (const name of ['a', 'b']) await post('/v1/agents', { client_id: clientId, name });
    const page = await http.call('GET', `/v1/agents?client_id=${clientId}&limit=1`);
    const cursor = String(page.body['next_cursor']);
    const other = await http.call('GET', `/v1/agents?limit=1&cursor=${cursor}`);
    expect([other.status, other.body['code']]).toEqual([400, 'cursor_mismatch']);
    const swapped = cursor.slice(0, -2) + (cursor.endsWith('AA') ? 'BB' : 'AA');
    for (const bad of [swapped, 'x', `A${cursor}`, `${cursor}=`]) {
      const answer = await http.call('GET', `/v1/agents?client_id=${clientId}&limit=1&cursor=${bad}`);
      expect([answer.status, answer.body['code']]).toEqual([400, 'invalid_cursor']);
    }
    for (const limit of ['0', '201', 'x', '1.5', '']) {
      const answer = await http.call('GET', `/v1/agents?limit=${limit}`);
      expect([answer.status, answer.body['errors']]).toEqual([
        400,
        [{ parameter: 'limit', detail: expect.any(String) }],
      ]);
    }
  });

  it('refuses unknown query parameters, even on routes without any', async () => {
    const list = await http.call('GET', '/v1/clients?colour=red');
    expect([list.status, list.body['code']]).toEqual([400, 'unknown_field']);
    expect(list.body['errors']).toEqual([{ parameter: 'colour', detail: 'is unknown' }]);
    const one = await http.call('GET', `/v1/clients/${await makeClient()}?colour=red`);
    expect([one.status, one.body['errors']]).toEqual([400, list.body['errors']]);
  });
});

describe('agents', () => {
  it('creates one of your own and names it', async () => {
    const clientId = await makeClient();
    const made = await post('/v1/agents', { client_id: clientId, name: 'Front desk', version: '3' });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      client_id: clientId,
      provider_account_id: null,
      name: 'Front desk',
      version: '3',
    });
    const named = await http.call('PATCH', `/v1/agents/${idOf(made)}`, { body: { name: 'Reception' } });
    expect(named.body['name']).toBe('Reception');
    expect((await journal(uuidOf('agent', idOf(made)))).map(({ action }) => action)).toEqual([
      'agent.created',
      'agent.updated',
    ]);
  });

  it('answers 404 if the client does not exist', async () => {
    const answer = await post('/v1/agents', { client_id: publicId('client', newUuid()), name: 'A' });
    expect([answer.status, answer.body['code']]).toEqual([404, 'not_found']);
  });
});

describe('provider accounts', () => {
  const account = (clientId: string) => ({
    provider: 'retell',
    name: 'Main',
    client_id: clientId,
    api_key: 'key_canary',
  });

  it('never shows a secret, shows where webhooks go, and merges deadlines with their defaults', async () => {
    const clientId = await makeClient();
    const body = { ...account(clientId), webhook_secret: 'hush_canary', deadlines: { audio: 60 }, backfill_days: 0 };
    const made = await post('/v1/provider-accounts', body);
    expect(made.status).toBe(201);
    expect(made.body).toEqual({
      id: expect.stringMatching(/^pa_/),
      object: 'provider_account',
      provider: 'retell',
      name: 'Main',
      client_id: clientId,
      base_url: null,
      webhook_url: `https://colloquy.example/v1/webhooks/${idOf(made)}`,
      has_api_key: true,
      has_webhook_secret: true,
      agent_clients: [],
      backfill_days: 0,
      poll_active_seconds: null,
      deadlines: { silence: 900, ask_every: 900, analysis: 1800, transcript: 3600, audio: 60 },
      backfill: expect.objectContaining({ status: 'none', from: null, checked: 0 }),
      health: expect.objectContaining({
        webhook_last_at: null,
        signature_failures_24h: 0,
        live_poll: null,
        circuit: 'closed',
      }),
      created_at: expect.any(String),
      updated_at: expect.any(String),
    });
    const read = await http.call('GET', `/v1/provider-accounts/${idOf(made)}`);
    expect(read.text).not.toContain('canary');
  });

  it('changes the given fields and leaves the rest', async () => {
    const clientId = await makeClient();
    const made = await post('/v1/provider-accounts', { ...account(clientId), deadlines: { audio: 60, silence: 5 } });
    const url = `/v1/provider-accounts/${idOf(made)}`;
    const patch = {
      base_url: 'http://127.0.0.1:4000',
      api_key: 'key_there',
      deadlines: { audio: null },
      poll_active_seconds: 2,
    };
    const changed = await http.call('PATCH', url, { body: patch });
    expect(changed.body).toMatchObject({
      name: 'Main',
      base_url: 'http://127.0.0.1:4000',
      health: { live_poll: { last_at: null, live: null, problem: null } },
      poll_active_seconds: 2,
      deadlines: { silence: 5, audio: 86_400 },
    });
    const [, entry] = await journal(uuidOf('providerAccount', idOf(made)));
    expect(entry).toEqual({
      client_id: SYSTEM_CLIENT,
      action: 'provider_account.updated',
      changes: ['api_key', 'base_url', 'poll_active_seconds', 'deadlines'],
      actor_type: 'key',
    });
  });

  it('is gone with its secrets after its deletion', async () => {
    const made = await post('/v1/provider-accounts', account(await makeClient()));
    const url = `/v1/provider-accounts/${idOf(made)}`;
    expect((await http.call('DELETE', url)).status).toBe(204);
    expect((await http.call('GET', url)).status).toBe(404);
    expect((await http.call('DELETE', url)).status).toBe(404);
    const knock = await post(`/v1/webhooks/${idOf(made)}`, {});
    expect([knock.status, knock.body['code']]).toEqual([404, 'not_found']);
  });

  it.each([
    [{ provider: 'nobody' }, 'invalid_request', '/provider'],
    [{ deadlines: { audio: 0 } }, 'invalid_request', '/deadlines/audio'],
    [{ deadlines: { video: 5 } }, 'unknown_field', '/deadlines/video'],
    [{ poll_active_seconds: 1 }, 'invalid_request', '/poll_active_seconds'],
    [{ base_url: 'ftp://x.example' }, 'invalid_request', '/base_url'],
    [{ base_url: 'https://u:p@x.example' }, 'invalid_request', '/base_url'],
    [{ client_id: 'cl_x' }, 'invalid_id', '/client_id'],
    [{ agent_clients: [{ provider_agent_id: 'a', client_id: 'x' }] }, 'invalid_id', '/agent_clients/0/client_id'],
  ])('refuses %j with %s', async (part, code, pointer) => {
    const answer = await post('/v1/provider-accounts', { ...account(await makeClient()), ...part });
    expect([answer.status, answer.body['code']]).toEqual([400, code]);
    expect(answer.body['errors']).toEqual([{ pointer, detail: expect.any(String) }]);
    expect(answer.text).not.toContain('key_canary');
  });
});
