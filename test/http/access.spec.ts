import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { newSecret } from '../../src/access/api-key-secret.js';
import { uuidOf } from '../../src/common/ids.js';
import { startHttpApp, type Called, type HttpApp } from './http-app.js';

let http: HttpApp;

beforeAll(async () => {
  http = await startHttpApp();
});
afterAll(() => http.stop());

interface Made {
  id: string;
  uuid: string;
  secret: string;
  url: string;
}

async function makeKey(body: Record<string, unknown> = {}, key = http.adminKey): Promise<Made> {
  const whole = { name: 'Test', role: 'admin', client_ids: '*', ...body };
  const made = await http.call('POST', '/v1/api-keys', { key, body: whole });
  expect(made.status).toBe(201);
  const id = String(made.body['id']);
  return { id, uuid: uuidOf('apiKey', id), secret: String(made.body['secret']), url: `/v1/api-keys/${id}` };
}

const use = (key: string, url = '/v1/clients'): Promise<Called> => http.call('GET', url, { key });

describe('authentication', () => {
  it.each([
    ['no header', {}],
    ['another scheme', { authorization: 'Basic abc' }],
    ['no token', { authorization: 'Bearer ' }],
    ['a token of another form', { authorization: 'Bearer secret' }],
    ['an unknown key', { authorization: `Bearer ${newSecret()}` }],
    ['two tokens', { authorization: `Bearer ${newSecret()} ${newSecret()}` }],
  ])('answers 401 to %s', async (_, headers) => {
    const answer = await http.call('GET', '/v1/clients', { key: null, headers });
    expect([answer.status, answer.body['code']]).toEqual([401, 'unauthenticated']);
    expect(answer.headers['www-authenticate']).toBe('Bearer');
  });

  it('comes before the body: an unauthenticated caller does not learn what is wrong with it', async () => {
    const headers = { 'content-type': 'application/json' };
    const answer = await http.call('POST', '/v1/clients', { key: null, body: '{oops', headers });
    expect(answer.status).toBe(401);
  });

  it('accepts the scheme in any case', async () => {
    const headers = { authorization: `bearer ${http.adminKey}` };
    expect((await http.call('GET', '/v1/clients', { key: null, headers })).status).toBe(200);
  });

  it('answers key_expired, once the time has come', async () => {
    const key = await makeKey({ expires_at: new Date(Date.now() + 400).toISOString() });
    expect((await use(key.secret)).status).toBe(200);
    await vi.waitFor(async () => {
      const answer = await use(key.secret);
      expect([answer.status, answer.body['code']]).toEqual([401, 'key_expired']);
    });
  });

  it('answers key_revoked at once', async () => {
    const key = await makeKey();
    expect((await use(key.secret)).status).toBe(200);
    expect((await http.call('DELETE', key.url)).status).toBe(204);
    const answer = await use(key.secret);
    expect([answer.status, answer.body['code']]).toEqual([401, 'key_revoked']);
    expect((await http.call('DELETE', key.url)).status).toBe(204);
    expect((await http.call('GET', key.url)).body['revoked_at']).toEqual(expect.any(String));
    const rotation = await http.call('POST', `${key.url}/rotate`, { key: key.secret });
    expect([rotation.status, rotation.body['code']]).toEqual([401, 'key_revoked']);
  });

  it('adopts a change by another process within 5 s', async () => {
    const key = await makeKey();
    expect((await use(key.secret)).status).toBe(200);
    await http.sql('update api_keys set revoked_at = now() where id = $1', [key.uuid]);
    await vi.waitFor(async () => expect((await use(key.secret)).status).toBe(401), { timeout: 6_000, interval: 200 });
  });

  it('ends the old secret with a rotation', async () => {
    const key = await makeKey();
    expect((await use(key.secret)).status).toBe(200);
    const rotated = await http.call('POST', `${key.url}/rotate`, { key: key.secret });
    expect(rotated.status).toBe(200);
    expect((await use(key.secret)).body['code']).toBe('unauthenticated');
    expect((await use(String(rotated.body['secret']))).status).toBe(200);
  });

  it('stores when a key was last used', async () => {
    const key = await makeKey();
    expect((await http.call('GET', key.url)).body['last_used_at']).toBeNull();
    await use(key.secret);
    await vi.waitFor(async () =>
      expect((await http.call('GET', key.url)).body['last_used_at']).toEqual(expect.any(String)),
    );
  });

  it('stores hashes, never secrets', async () => {
    const key = await makeKey({ name: 'Canary key' });
    const [row] = await http.sql<{ text: string }>('select api_keys::text as text from api_keys where id = $1', [
      key.uuid,
    ]);
    expect(row?.text).toContain(key.secret.slice(0, 12));
    for (const hidden of [key.secret, key.secret.slice(12), 'Canary']) {
      expect(row?.text).not.toContain(hidden);
      expect(row?.text).not.toContain(Buffer.from(hidden).toString('hex'));
    }
  });
});

describe('rights', () => {
  it('count at once when role or scopes change', async () => {
    const key = await makeKey({ role: 'operator' });
    expect((await use(key.secret)).body['code']).toBe('forbidden');
    await http.call('PATCH', key.url, { body: { scopes: ['clients:manage'] } });
    expect((await use(key.secret)).status).toBe(200);
    await http.call('PATCH', key.url, { body: { role: 'admin', scopes: ['-clients:manage'] } });
    expect((await use(key.secret)).body['code']).toBe('forbidden');
    expect((await use(key.secret, '/v1/agents')).status).toBe(200);
  });

  it('refuses unknown scopes', async () => {
    const body = { name: 'A', role: 'admin', client_ids: '*', scopes: ['content:reed'] };
    const answer = await http.call('POST', '/v1/api-keys', { body });
    expect([answer.status, answer.body['code']]).toEqual([400, 'invalid_request']);
  });
});

describe('a key for some clients', () => {
  it('cannot reach further by creating or changing keys', async () => {
    const [own, foreign] = [await makeClient(), await makeClient()];
    const limited = await makeKey({ client_ids: [own] });
    const ask = (body: object): Promise<Called> =>
      http.call('POST', '/v1/api-keys', { key: limited.secret, body: { name: 'A', role: 'admin', ...body } });
    expect((await ask({ client_ids: '*' })).body['code']).toBe('forbidden');
    expect((await ask({ client_ids: [own, foreign] })).body['code']).toBe('not_found');
    const below = await makeKey({ client_ids: [own], role: 'consumer' }, limited.secret);
    const wider = await http.call('PATCH', below.url, { key: limited.secret, body: { client_ids: '*' } });
    expect(wider.body['code']).toBe('forbidden');
  });

  it('does not see keys that reach further', async () => {
    const [own, foreign] = [await makeClient(), await makeClient()];
    const limited = await makeKey({ client_ids: [own] });
    const wider = await makeKey({ client_ids: [own, foreign] });
    for (const { url } of [wider, await makeKey()]) {
      expect((await use(limited.secret, url)).status).toBe(404);
      expect((await http.call('DELETE', url, { key: limited.secret })).status).toBe(404);
    }
    const seen = (await use(limited.secret, '/v1/api-keys')).body['data'] as { id: string }[];
    expect(seen.map(({ id }) => id)).toEqual([limited.id]);
  });

  it('cannot create clients', async () => {
    const limited = await makeKey({ client_ids: [await makeClient()] });
    const answer = await http.call('POST', '/v1/clients', { key: limited.secret, body: { name: 'A' } });
    expect([answer.status, answer.body['code']]).toEqual([403, 'forbidden']);
  });
});

describe('bootstrap keys', () => {
  it('are an admin and a supervisor for all clients, each created once', async () => {
    const rows = await http.sql(
      'select role, all_clients from api_keys where revision = 1 order by created_at limit 2',
    );
    expect(rows).toEqual([
      { role: 'admin', all_clients: true },
      { role: 'supervisor', all_clients: true },
    ]);
  });
});

async function makeClient(): Promise<string> {
  return String((await http.call('POST', '/v1/clients', { body: { name: 'Acme' } })).body['id']);
}
