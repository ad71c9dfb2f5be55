import { createHmac } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newUuid, publicId } from '../../src/common/ids.js';
import { IngestDatabase } from '../../src/database/database.js';
import { startHttpApp, type Called, type HttpApp } from './http-app.js';

const LIMIT = 67_108_864;
const API_KEY = 'key_of_the_account';

let http: HttpApp;
let webhookUrl: string;
let accountId: string;

beforeAll(async () => {
  http = await startHttpApp();
  const client = await http.call('POST', '/v1/clients', { body: { name: 'Acme' } });
  const body = { provider: 'retell', name: 'A', client_id: client.body['id'], api_key: API_KEY };
  const account = await http.call('POST', '/v1/provider-accounts', { body });
  accountId = String(account.body['id']);
  webhookUrl = `/v1/webhooks/${accountId}`;
});
afterAll(() => http.stop());

/** Signed as Retell does. */
const signature = (body: Buffer | string, at = Date.now(), key = API_KEY): Record<string, string> => ({
  'x-retell-signature': `v=${at},d=${createHmac('sha256', key).update(body).update(String(at)).digest('hex')}`,
});

const knock = (body: Buffer | string | undefined, headers: Record<string, string>, url = webhookUrl): Promise<Called> =>
  http.call('POST', url, { key: null, headers, ...(body !== undefined && { body }) });

const event = (callId: string, name = 'call_started'): string =>
  JSON.stringify({
    event: name,
    call: { call_id: callId, call_type: 'web_call', agent_id: 'agent_1', call_status: 'ongoing' },
  });

const pending = (): Promise<object[]> => http.sql('select 1 from inbox');

describe('webhooks', () => {
  it.each(['application/json', 'text/plain', 'application/x-www-form-urlencoded', undefined])(
    'are stored whatever content type they have: %s',
    async (type) => {
      const before = (await pending()).length;
      const body = Buffer.from(event(`call_${String(type)}`));
      const answer = await knock(body, { ...signature(body), ...(type !== undefined && { 'content-type': type }) });
      expect([answer.status, answer.text]).toEqual([200, '{}']);
      expect((await pending()).length).toBe(before + 1);
    },
  );

  it('answer 200 to a duplicate and store it once', async () => {
    const body = event('call_twice');
    const answers = [await knock(body, signature(body)), await knock(body, signature(body))];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const receipts = await http.sql(
      'select 1 from inbox where identity_hash in (select identity_hash from inbox group by 1 having count(*) > 1)',
    );
    expect(receipts).toEqual([]);
  });

  it('answer 200 to unknown events', async () => {
    const body = JSON.stringify({ event: 'call_teleported', call: { call_id: 'x' } });
    expect((await knock(body, signature(body))).status).toBe(200);
  });

  it.each([
    ['missing', () => ({})],
    ['garbage', () => ({ 'x-retell-signature': 'v=1' })],
    ['of another body', () => signature('{}')],
    ['of another secret', (body: string) => signature(body, Date.now(), 'key_of_somebody')],
    ['stale', (body: string) => signature(body, Date.now() - 5 * 60_000 - 1_000)],
    ['of the future', (body: string) => signature(body, Date.now() + 5 * 60_000 + 1_000)],
  ])('answer 401 if the signature is %s', async (_, sign) => {
    const before = (await pending()).length;
    const body = event('call_forged');
    const answer = await knock(body, sign(body));
    expect([answer.status, answer.body['code']]).toEqual([401, 'invalid_signature']);
    expect((await pending()).length).toBe(before);
  });

  it.each(['', 'null', '[]', '"text"', '{oops'])('answer 400 to the signed body %j', async (body) => {
    const answer = await knock(body === '' ? undefined : body, signature(body));
    expect([answer.status, answer.body['code']]).toEqual([400, 'invalid_payload']);
  });

  it('answer 404 for an unknown account, 400 for what is no account id', async () => {
    const body = event('call_lost');
    const last = accountId.endsWith('0') ? '1' : '0';
    const unknown = await knock(body, signature(body), `/v1/webhooks/${accountId.slice(0, -1)}${last}`);
    expect([unknown.status, unknown.body['code']]).toEqual([404, 'not_found']);
    expect((await knock(body, signature(body), '/v1/webhooks/cl_x')).body['code']).toBe('invalid_id');
  });

  it('to accounts that nobody knows share their queries, however many there are, and are asked for once', async () => {
    const database = http.app.get(IngestDatabase, { strict: false });
    const once = database.once.bind(database);
    const asked: { name: string | undefined; values: unknown[] }[] = [];
    database.once = (scope, statement) => {
      asked.push({ name: statement.name, values: statement.values ?? [] });
      return once(scope, statement);
    };
    const begun = performance.now();
    for (let round = 0; round < 10; round += 1) {
      const ids = Array.from({ length: 50 }, () => publicId('providerAccount', newUuid()));
      for (const _ of ['first', 'again']) {
        const answers = await Promise.all(ids.map((id) => knock('{}', signature('{}'), `/v1/webhooks/${id}`)));
        expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([404]));
      }
    }
    database.once = once;
    const queries = asked.filter(({ name }) => name === 'known_accounts');
    expect(queries.length).toBeLessThanOrEqual(Math.ceil((performance.now() - begun) / 100) + 1);
    const ids = queries.flatMap(({ values: [of] }) => of as string[]);
    expect(ids).toHaveLength(500);
    expect(new Set(ids).size).toBe(500);
    expect(asked.filter(({ name }) => name === 'account')).toEqual([]);
  });

  it('to accounts that nobody knows do not pile up while the database is slow', async () => {
    const owner = new Client({ connectionString: http.databaseUrl });
    await owner.connect();
    await owner.query('begin; lock table provider_accounts in access exclusive mode');
    const toNobody = (): Promise<Called> =>
      knock('{}', signature('{}'), `/v1/webhooks/${publicId('providerAccount', newUuid())}`);
    const waiting = Array.from({ length: 1_000 }, toNobody);
    for (const { status, body, headers } of await Promise.all(Array.from({ length: 50 }, toNobody))) {
      expect([status, body['code'], headers['retry-after']]).toEqual([503, 'storage_unavailable', '2']);
      // The database would have said so after 2 s, and otherwise.
      expect(body['detail']).toContain('too many unknown accounts');
    }
    await owner.query('rollback');
    await owner.end();
    await Promise.all(waiting);
    expect((await toNobody()).status).toBe(404);
  });

  it('that are forged share their queries too, however many come at once', async () => {
    const database = http.app.get(IngestDatabase, { strict: false });
    const withScope = database.withScope.bind(database);
    let reads = 0;
    database.withScope = (scope, work) => {
      reads += 1;
      return withScope(scope, work);
    };
    const forged = signature('{}', Date.now(), 'key_of_nobody');
    const answers = await Promise.all(Array.from({ length: 200 }, () => knock('{}', forged)));
    database.withScope = withScope;
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    expect(reads).toBeGreaterThan(0);
    // Held for 250 ms.
    expect(reads).toBeLessThanOrEqual(10);
  });

  it('of any depth are stored, when they are signed: nothing of theirs is an error of ours', async () => {
    for (const deep of [10_000, 200_000]) {
      const nested = '['.repeat(deep) + ']'.repeat(deep);
      const body = `{"event":"call_started","call":{"call_id":"call_deep_${deep}","metadata":${nested}},"a":1,"a":"\\ud800"}`;
      expect((await knock(body, signature(body))).status).toBe(200);
    }
  });

  it('take 64 MiB and not a byte more', async () => {
    const text = event('call_large');
    const whole = Buffer.alloc(LIMIT, ' ');
    whole.write(text);
    expect((await knock(whole, signature(whole))).status).toBe(200);
    const answer = await knock(Buffer.alloc(LIMIT + 1, ' '), { 'x-retell-signature': 'v=1' });
    expect([answer.status, answer.body['code']]).toEqual([413, 'too_large']);
  });
});

describe('other bodies', () => {
  const send = (body: string | Buffer, type = 'application/json'): Promise<Called> =>
    http.call('POST', '/v1/clients', { body, headers: { 'content-type': type } });

  it('are JSON, else 415', async () => {
    for (const type of ['text/plain', 'application/xml', 'application/jsonp', 'multipart/form-data; boundary=x']) {
      const answer = await send('{"name":"A"}', type);
      expect([answer.status, answer.body['code']]).toEqual([415, 'unsupported_media_type']);
    }
    for (const type of ['application/json; charset=utf-8', 'application/merge-patch+json', 'Application/JSON']) {
      expect((await send('{"name":"A"}', type)).status).toBe(201);
    }
  });

  it.each(['{oops', '{"name":"A"', '{"__proto__":{"name":"A"},"name":"A"}', '"text"', '[]', 'null', '{"name":1}'])(
    'that are invalid are 400: %s',
    async (body) => {
      const answer = await send(body);
      expect([answer.status, answer.body['code']]).toEqual([400, 'invalid_request']);
      expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    },
  );

  it.each([
    ['a name twice', '{"name":"A","name":"B"}'],
    ['a lone surrogate', '{"name":"\\ud800"}'],
    ['NUL', '{"name":"A\\u0000"}'],
    ['bytes that are not UTF-8', Buffer.from('{"name":"\xe9"}', 'latin1')],
    ['33 levels', `{"name":${'['.repeat(32)}${']'.repeat(32)}}`],
    ['10,000 levels', `{"name":${'['.repeat(10_000)}${']'.repeat(10_000)}}`],
  ])('with %s are 400 and leave nothing behind', async (_, body) => {
    const count = async (): Promise<number> => (await http.sql('select 1 from clients')).length;
    const before = await count();
    for (const headers of [{}, { 'idempotency-key': 'one' }] as Record<string, string>[]) {
      const answer = await http.call('POST', '/v1/clients', {
        body,
        headers: { 'content-type': 'application/json', ...headers },
      });
      expect([answer.status, answer.body['code']]).toEqual([400, 'invalid_request']);
    }
    expect(await count()).toBe(before);
  });

  it('are taken as they are: an encoding, a charset or a type of another kind is 415', async () => {
    const body = '{"name":"A"}';
    for (const headers of [
      { 'content-encoding': 'gzip' },
      { 'content-encoding': 'none' },
      { 'content-encoding': 'identity, br' },
      { 'content-type': 'application/json; charset=utf-16' },
      { 'content-type': 'application/json;charset="iso-8859-1"' },
      { 'content-type': 'text/json' },
    ] as Record<string, string>[]) {
      const answer = await http.call('POST', '/v1/clients', {
        body,
        headers: { 'content-type': 'application/json', ...headers },
      });
      expect([answer.status, answer.body['code']]).toEqual([415, 'unsupported_media_type']);
    }
    const plain = { 'content-type': 'application/json;charset="UTF-8"', 'content-encoding': 'identity' };
    expect((await http.call('POST', '/v1/clients', { body, headers: plain })).status).toBe(201);
  });

  it.each(['', 'x'.repeat(256), 'a\tb', 'é'])(
    'go with an Idempotency-Key of 1 to 255 printable ASCII characters: not %j',
    async (key) => {
      const headers = { 'content-type': 'application/json', 'idempotency-key': key };
      const answer = await http.call('POST', '/v1/clients', { body: '{"name":"A"}', headers });
      expect([answer.status, answer.body['code']]).toEqual([400, 'invalid_request']);
    },
  );

  it('have 1 MiB, else 413', async () => {
    const body = (bytes: number): string => `{"name":"A"${' '.repeat(bytes - 12)}}`;
    expect((await send(body(1_048_576))).status).toBe(201);
    const answer = await send(body(1_048_577));
    expect([answer.status, answer.body['code']]).toEqual([413, 'too_large']);
  });

  it('are refused where none is taken', async () => {
    const key = await http.call('POST', '/v1/api-keys', { body: { name: 'A', role: 'consumer', client_ids: '*' } });
    const url = `/v1/api-keys/${String(key.body['id'])}/rotate`;
    const own = { key: String(key.body['secret']) };
    const answer = await http.call('POST', url, { ...own, body: { force: true } });
    expect([answer.status, answer.body['code']]).toEqual([400, 'unknown_field']);
    expect((await http.call('POST', url, { ...own, body: {} })).status).toBe(200);
  });
});
