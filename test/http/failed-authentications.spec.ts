// Callers without a working key: what they cost, how they are limited, what is logged.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { newSecret } from '../../src/access/api-key-secret.js';
import { KeyDirectory } from '../../src/access/key-directory.js';
import { ApiDatabase } from '../../src/database/database.js';
import { valueOf } from '../support/metrics.js';
import { answerOf, makeKey } from './api-keys.js';
import { startHttpApp, type Called, type HttpApp } from './http-app.js';

const LIMIT = 20;
const UNKNOWN = [401, 'unauthenticated'];

let http: HttpApp;
/** Look-ups of keys that reached the database, and their highest concurrency. */
const lookUps = { statements: 0, keys: 0, underWay: 0, most: 0 };

beforeAll(async () => {
  const changed = vi.spyOn(KeyDirectory.prototype, 'changed');
  http = await startHttpApp({ COLLOQUY_FAILED_AUTH_LIMIT: String(LIMIT), COLLOQUY_METRICS_PORT: '0' });
  // The cache of keys is dropped once more when the listener starts, which may be later than the API.
  await vi.waitUntil(() => changed.mock.calls.length > 0, { timeout: 10_000 });
  changed.mockRestore();
  const database = http.app.get(ApiDatabase);
  const once = database.once.bind(database);
  database.once = async (scope, statement) => {
    if (statement.name !== 'api_keys') return once(scope, statement);
    lookUps.statements += 1;
    const [hashes] = (statement.values ?? []) as [unknown[]];
    lookUps.keys += hashes.length;
    lookUps.underWay += 1;
    lookUps.most = Math.max(lookUps.most, lookUps.underWay);
    try {
      return await once(scope, statement);
    } finally {
      lookUps.underWay -= 1;
    }
  };
});
afterAll(() => http.stop());

let lastAddress = 0;
/** An address that nobody has used yet. */
const newAddress = (): string => `198.51.${Math.floor((lastAddress += 1) / 250)}.${lastAddress % 250}`;
const use = (key: string, address = newAddress(), headers: Record<string, string> = {}): Promise<Called> =>
  http.call('GET', '/v1/clients', { key, address, headers });
async function costOf(work: () => Promise<unknown>): Promise<number> {
  const before = lookUps.keys;
  await work();
  return lookUps.keys - before;
}

describe('an invalid key', () => {
  it('costs no query if its checksum or form is wrong', async () => {
    const right = newSecret();
    const wrong = right.slice(0, -1) + (right.endsWith('0') ? '1' : '0');
    const cost = await costOf(async () => {
      for (const key of [wrong, 'clq_', 'clq_short', `clq_${'é'.repeat(40)}`, 'x'.repeat(5_000)]) {
        expect(answerOf(await use(key))).toEqual(UNKNOWN);
      }
    });
    expect(cost).toBe(0);
  });

  it('costs one query, however often it is sent, from wherever', async () => {
    const key = newSecret();
    expect(await costOf(() => Promise.all(Array.from({ length: 10 }, () => use(key))))).toBeLessThanOrEqual(10);
    expect(await costOf(() => Promise.all(Array.from({ length: 50 }, () => use(key))))).toBe(0);
  });

  it('works as soon as it exists: earlier failures do not count against it', async () => {
    const key = await makeKey(http);
    await http.sql('update api_keys set hash = sha256($2) where id = $1', [key.uuid, Buffer.from(newSecret())]);
    expect(answerOf(await use(key.secret))).toEqual(UNKNOWN);
    await http.sql('update api_keys set hash = sha256($2) where id = $1', [key.uuid, Buffer.from(key.secret)]);
    await http.sql("select pg_notify('colloquy_api_keys', '')");
    await expect.poll(async () => (await use(key.secret)).status, { timeout: 4_000 }).toBe(200);
  });
});

describe('a source address', () => {
  it('gets 429 without a query after too many failures, while others and known keys still work', async () => {
    const address = newAddress();
    const holder = await makeKey(http);
    expect((await use(holder.secret, address)).status).toBe(200);
    let answers: Called[] = [];
    const cost = await costOf(async () => {
      answers = await Promise.all(Array.from({ length: 300 }, () => use(newSecret(), address)));
    });
    expect(cost).toBeLessThanOrEqual(LIMIT);
    const refused = answers.filter(({ status }) => status === 429);
    expect([answers.length - refused.length, refused.length]).toEqual([LIMIT, 300 - LIMIT]);
    expect(refused[0]?.body['code']).toBe('rate_limited');
    expect(Number(refused[0]?.headers['retry-after'])).toBeGreaterThan(30);
    expect(refused[0]?.headers['ratelimit-policy']).toBe(`"address";q=${LIMIT};w=60`);
    expect(refused[0]?.headers['ratelimit']).toMatch(/^"address";r=0;t=\d+$/);
    expect((await use(holder.secret, address)).status).toBe(200);
    expect(answerOf(await use(newSecret()))).toEqual(UNKNOWN);
    const limited = http
      .logged()
      .filter(({ event, client_address }) => event === 'authentication.limited' && client_address === address);
    expect(limited).toHaveLength(1);
  });

  it('is a /64 for IPv6', async () => {
    const host = (n: number): string => `2001:db8:1:2::${n.toString(16)}`;
    const answers = await Promise.all(Array.from({ length: LIMIT + 5 }, (_, n) => use(newSecret(), host(n + 1))));
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(5);
    expect((await use(newSecret(), '2001:db8:1:3::1')).status).toBe(401);
  });

  it('is not charged for working keys, however many there are', async () => {
    const address = newAddress();
    for (let n = 0; n < LIMIT + 5; n += 1) {
      expect((await use((await makeKey(http)).secret, address)).status).toBe(200);
    }
  });

  it('is not charged for concurrent requests with a key that this process does not know yet', async () => {
    const [address, key] = [newAddress(), await makeKey(http)];
    const answers = await Promise.all(Array.from({ length: 3 * LIMIT }, () => use(key.secret, address)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });

  it('is not charged for failures of our own', async () => {
    const address = newAddress();
    await http.sql('revoke select on retired_api_key_secrets from colloquy_api');
    for (let n = 0; n < LIMIT + 5; n += 1) expect((await use(newSecret(), address)).status).toBe(500);
    await http.sql('grant select on retired_api_key_secrets to colloquy_api');
    expect(answerOf(await use(newSecret(), address))).toEqual(UNKNOWN);
  });

  it('is charged for revoked keys, too', async () => {
    const address = newAddress();
    const key = await makeKey(http);
    await http.call('DELETE', key.url);
    const answers = await Promise.all(Array.from({ length: LIMIT + 1 }, () => use(key.secret, address)));
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(1);
  });
});

describe('a flood of unknown keys from many addresses', () => {
  it('takes one connection, and requests with a valid key still work', async () => {
    const before = { ...lookUps };
    lookUps.most = 0;
    const flood = Array.from({ length: 600 }, () => use(newSecret()));
    const served = await Promise.all(Array.from({ length: 20 }, () => http.call('GET', '/v1/clients')));
    expect(new Set(served.map(({ status }) => status))).toEqual(new Set([200]));
    // One or two may share the bucket of an address that failed too often above.
    const refused = (await Promise.all(flood)).filter(({ status }) => status === 401);
    expect(refused.length).toBeGreaterThan(590);
    // One for unknown keys, one for keys that are refreshed.
    expect(lookUps.most).toBeLessThanOrEqual(2);
    expect(lookUps.statements - before.statements).toBeLessThan(300);
  });
});

describe('security events', () => {
  const eventsFrom = (address: string): Record<string, unknown>[] =>
    http.logged().filter(({ msg, client_address }) => msg === 'security event' && client_address === address);

  it('say why, whose key, from where, with which method and route, but nothing that was sent', async () => {
    const address = newAddress();
    const agent = `curl/8.5.0 (x86_64; "\n\u0000 ${'€'.repeat(300)}`.replaceAll(/[\n\0]/g, '\t');
    const headers = { 'user-agent': agent };
    const [rotated, revoked, expired] = [
      await makeKey(http),
      await makeKey(http),
      await makeKey(http, { expires_at: '2001-01-01T00:00:00Z' }),
    ];
    await http.call('POST', `${rotated.url}/rotate`, { key: rotated.secret });
    await http.call('DELETE', revoked.url);
    const unknown = newSecret();
    for (const key of [rotated.secret, revoked.secret, expired.secret, unknown, `${unknown}x`, 'no-key'])
      expect((await use(key, address, headers)).status).toBe(401);
    const told = eventsFrom(address);
    expect(told.map(({ event, reason, key_id }) => [event, reason, key_id])).toEqual([
      ['authentication.failed', 'retired', rotated.id],
      ['authentication.failed', 'revoked', revoked.id],
      ['authentication.failed', 'expired', expired.id],
      ['authentication.failed', 'unknown', undefined],
      ['authentication.failed', 'unknown', undefined],
      ['authentication.failed', 'malformed', undefined],
    ]);
    for (const line of told) {
      expect(line['user_agent']).toMatch(/^curl\/8\.5\.0 \(x86_64; \?[\w .,;:()/+?-]{0,100}$/);
      expect(line['request_id']).toEqual(expect.any(String));
    }
    const all = JSON.stringify(http.logged());
    for (const secret of [rotated.secret, revoked.secret, expired.secret, unknown]) {
      expect(all).not.toContain(secret);
      expect(all).not.toContain(secret.slice(12, 30));
    }
  });

  it('contain each change of a key, with who made it from where', async () => {
    const address = newAddress();
    const key = await makeKey(http);
    const as = (method: string, url: string, body?: object): Promise<Called> =>
      http.call(method, url, { key: key.secret, address, ...(body && { body }) });
    const made = await as('POST', '/v1/api-keys', { name: 'A', role: 'operator', client_ids: '*' });
    const url = `/v1/api-keys/${String(made.body['id'])}`;
    await as('PATCH', url, { role: 'consumer' });
    await as('PATCH', url, { role: 'consumer' });
    await as('DELETE', url);
    await as('POST', `${key.url}/rotate`);
    const by_key_id = key.id;
    expect(eventsFrom(address)).toMatchObject([
      { event: 'api_key.used', key_id: key.id },
      { event: 'api_key.created', key_id: made.body['id'], by_key_id },
      { event: 'api_key.updated', key_id: made.body['id'], by_key_id },
      { event: 'api_key.revoked', key_id: made.body['id'], by_key_id },
      { event: 'api_key.rotated', key_id: key.id, by_key_id },
    ]);
  });

  it('say from where a key is used, once per address, and request lines refer to them', async () => {
    const key = await makeKey(http);
    const [home, away] = [newAddress(), newAddress()];
    for (const address of [home, home, away, home, away]) await use(key.secret, address);
    const used = http.logged().filter(({ event, key_id }) => event === 'api_key.used' && key_id === key.id);
    expect(used.map(({ client_address }) => client_address)).toEqual([home, away]);
    const requestLines = () => http.logged().filter(({ msg, key_id }) => msg === 'request' && key_id === key.id);
    const requests = await vi.waitFor(() => {
      expect(requestLines()).toHaveLength(5);
      return requestLines();
    });
    const sourceAway = used[1]?.['source'];
    expect(requests.map(({ source }) => source === sourceAway)).toEqual([false, false, true, false, true]);
  });

  it('are the only lines with addresses', () => {
    const others = http.logged().filter(({ msg }) => msg !== 'security event');
    expect(others.length).toBeGreaterThan(100);
    expect(JSON.stringify(others)).not.toMatch(/198\.51\.|2001:db8|127\.0\.0\.1/);
  });

  it('are counted by reason, on the metrics port only', async () => {
    await http.call('GET', '/v1/clients', { key: null });
    const port = http.logged().find(({ msg }) => msg === 'api metrics ready')?.['metrics_port'];
    const text = await (await fetch(`http://127.0.0.1:${String(port)}/metrics`)).text();
    for (const reason of ['missing', 'malformed', 'unknown', 'retired', 'revoked', 'expired', 'limited'])
      expect(valueOf(text, `colloquy_failed_authentications_total{reason="${reason}"}`), reason).toBeGreaterThan(0);
    expect((await http.call('GET', '/metrics', { key: null })).status).toBe(404);
  });
});

describe('behind a proxy', () => {
  const seenAs = async (trusted: string, forwarded: string, address: string): Promise<unknown> => {
    const behind = await startHttpApp({ COLLOQUY_TRUST_PROXY: trusted });
    await behind.call('GET', '/v1/clients', { address, headers: { 'x-forwarded-for': forwarded } });
    const used = behind.logged().find(({ event }) => event === 'api_key.used');
    await behind.stop();
    return used?.['client_address'];
  };

  it.each([
    ['off', '203.0.113.9', '10.0.0.1', '10.0.0.1'],
    ['10.0.0.0/8', '203.0.113.9', '10.0.0.1', '203.0.113.9'],
    ['10.0.0.0/8, fd00::/8', '192.0.2.66, 203.0.113.9, 10.9.9.9', 'fd00::1', '203.0.113.9'],
    ['10.0.0.0/8', '203.0.113.9', '192.0.2.7', '192.0.2.7'],
    ['1', '192.0.2.66, 203.0.113.9', '10.0.0.1', '203.0.113.9'],
    ['2', '192.0.2.66, 203.0.113.9, 10.9.9.9', '10.0.0.1', '203.0.113.9'],
    ['10.0.0.0/8', '203.0.113.9:4711', '10.0.0.1', '203.0.113.9'],
    ['10.0.0.0/8', 'nonsense', '10.0.0.1', '10.0.0.1'],
  ])('trusting %s, %s from %s is %s', async (trusted, forwarded, address, expected) => {
    expect(await seenAs(trusted, forwarded, address)).toBe(expected);
  });
});

describe('COLLOQUY_KEY_LIFETIME_DAYS', () => {
  it('limits new and changed keys, and is their default', async () => {
    const short = await startHttpApp({ COLLOQUY_KEY_LIFETIME_DAYS: '90' });
    const make = (body: object): Promise<Called> =>
      short.call('POST', '/v1/api-keys', { body: { name: 'A', role: 'operator', client_ids: '*', ...body } });
    const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();
    const made = await make({});
    expect(Math.abs(Date.parse(String(made.body['expires_at'])) - Date.parse(inDays(90)))).toBeLessThan(60_000);
    expect((await make({ expires_at: inDays(10) })).status).toBe(201);
    const url = `/v1/api-keys/${String(made.body['id'])}`;
    for (const expires_at of [null, inDays(91)]) {
      for (const answer of [await make({ expires_at }), await short.call('PATCH', url, { body: { expires_at } })]) {
        expect(answerOf(answer)).toEqual([400, 'invalid_request']);
        expect(answer.body['errors']).toEqual([{ pointer: '/expires_at', detail: expect.any(String) }]);
      }
    }
    expect((await short.call('PATCH', url, { body: { name: 'B' } })).status).toBe(200);
    await short.stop();
  });
});
