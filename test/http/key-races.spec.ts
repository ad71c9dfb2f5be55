// Keys that change while they are used: rotation, and requests that outlast their key.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Client } from 'pg';
import { ROLES } from '../../src/access/rights.js';
import { uuidOf } from '../../src/common/ids.js';
import { answerOf, makeClient, makeKey, shown } from './api-keys.js';
import { startHttpApp, type Called, type HttpApp } from './http-app.js';

let http: HttpApp;

beforeAll(async () => {
  http = await startHttpApp();
});
afterAll(() => http.stop());

const NEW_ADMIN = { name: 'New', client_ids: '*', role: 'admin' };
const FORBIDDEN = [403, 'forbidden'];

describe('rotation', () => {
  it.each(ROLES)('is allowed to a %s for its own key, without any right to manage keys', async (role) => {
    const key = await makeKey(http, { role, scopes: ['-api-keys:manage'] });
    const rotated = await http.call('POST', `${key.url}/rotate`, { key: key.secret });
    expect(rotated.status).toBe(200);
    const [secret] = [String(rotated.body['secret'])];
    expect(secret).not.toBe(key.secret);
    expect(await shown(http, key)).toMatchObject({ role, scopes: ['-api-keys:manage'], expires_at: null });
    expect(answerOf(await http.call('POST', `${key.url}/rotate`, { key: key.secret }))).toEqual([
      401,
      'unauthenticated',
    ]);
    expect((await http.call('POST', `${key.url}/rotate`, { key: secret })).status).toBe(200);
  });

  it('keeps the time at which the key expires', async () => {
    const expires_at = new Date(Date.now() + 3_600_000).toISOString();
    const key = await makeKey(http, { role: 'consumer', expires_at });
    expect((await http.call('POST', `${key.url}/rotate`, { key: key.secret })).body).toMatchObject({ expires_at });
  });

  it('is limited in number: retired secrets are stored for ever', async () => {
    const [key, other] = [await makeKey(http, { role: 'consumer' }), await makeKey(http, { role: 'consumer' })];
    let { secret } = key;
    let answer = await http.call('POST', `${key.url}/rotate`, { key: secret });
    for (let n = 0; n < 30 && answer.status === 200; n += 1) {
      secret = String(answer.body['secret']);
      answer = await http.call('POST', `${key.url}/rotate`, { key: secret });
    }
    expect(answerOf(answer)).toEqual([429, 'rate_limited']);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(60);
    expect(await http.sql('select 1 from retired_api_key_secrets where api_key_id = $1', [key.uuid])).toHaveLength(20);
    expect((await http.call('GET', '/v1/conversations', { key: secret })).status).toBe(200);
    expect((await http.call('POST', `${other.url}/rotate`, { key: other.secret })).status).toBe(200);
  });

  it('happens once if two are requested at the same time', async () => {
    const key = await makeKey(http, { role: 'consumer' });
    const rotate = (): Promise<Called> => http.call('POST', `${key.url}/rotate`, { key: key.secret });
    const answers = await Promise.all([rotate(), rotate(), rotate()]);
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 401, 401]);
  });
});

describe('a key that ends while its request waits', () => {
  const WAITS = `
    select 1 from pg_locks where locktype = 'advisory' and not granted
    and database = (select oid from pg_database where datname = current_database())`;

  /** The response to a request that was authenticated before `change` and runs after it. */
  async function overtaken(request: () => Promise<Called>, change: string, values: unknown[]): Promise<Called> {
    const other = new Client({ connectionString: http.databaseUrl });
    await other.connect();
    try {
      await other.query('begin');
      await other.query("select pg_advisory_xact_lock(hashtextextended('colloquy/api_keys', 0))");
      const answer = request();
      await vi.waitFor(async () => expect(await http.sql(WAITS)).toHaveLength(1), { timeout: 5_000 });
      await other.query(change, values);
      await other.query('commit');
      return await answer;
    } finally {
      await other.end();
    }
  }

  it.each([
    ['was revoked', 'update api_keys set revoked_at = now() where id = $1', [401, 'unauthenticated']],
    ['has expired', 'update api_keys set expires_at = now() where id = $1', [401, 'unauthenticated']],
    ['waits for approval', 'update api_keys set awaiting_approval = true where id = $1', [401, 'unauthenticated']],
    ['has another secret', "update api_keys set hash = sha256('other') where id = $1", [401, 'unauthenticated']],
    ['is no admin', "update api_keys set role = 'operator', scopes = '{api-keys:manage}' where id = $1", FORBIDDEN],
  ])('creates no other key if it %s meanwhile', async (_, change, expected) => {
    const holder = await makeKey(http);
    const answer = await overtaken(
      () => http.call('POST', '/v1/api-keys', { key: holder.secret, body: NEW_ADMIN }),
      change,
      [holder.uuid],
    );
    expect(answerOf(answer)).toEqual(expected);
    expect(await http.sql('select 1 from api_keys where created_by = $1', [holder.uuid])).toEqual([]);
  });

  it.each(['DELETE', 'PATCH'])('no longer reaches another client: %s', async (method) => {
    const [own, foreign] = [await makeClient(http), await makeClient(http)];
    const holder = await makeKey(http, { client_ids: [own, foreign] });
    const other = await makeKey(http, { role: 'consumer', client_ids: [foreign] });
    const body = method === 'PATCH' ? { name: 'Mine' } : undefined;
    const answer = await overtaken(
      () => http.call(method, other.url, { key: holder.secret, body }),
      'update api_keys set client_ids = $2 where id = $1',
      [holder.uuid, [uuidOf('client', own)]],
    );
    expect(answer.status).toBe(404);
    expect(await shown(http, other)).toMatchObject({ name: 'Test', status: 'active' });
  });
});
