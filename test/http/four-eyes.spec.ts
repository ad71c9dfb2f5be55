// COLLOQUY_FOUR_EYES: keys with content or compliance rights work only after a second admin has approved them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newSecret } from '../../src/access/api-key-secret.js';
import { answerOf, makeClient, makeKey, shown, type MadeKey } from './api-keys.js';
import { startHttpApp, type Called, type HttpApp } from './http-app.js';

let http: HttpApp;
/** The second person: a bootstrap admin of a later start. */
let second: string;

beforeAll(async () => {
  http = await startHttpApp({ COLLOQUY_FOUR_EYES: 'on' });
  second = newSecret();
  await (await startHttpApp({ ...http.env, COLLOQUY_BOOTSTRAP_KEY: second })).stop();
});
afterAll(() => http.stop());

const FORBIDDEN = [403, 'forbidden'];
const OK = [200, undefined];
const approve = (key: MadeKey, by: string, headers: Record<string, string> = {}): Promise<Called> =>
  http.call('POST', `${key.url}/approve`, { key: by, headers });
/** Every key may request its own rotation, except one that waits for approval. */
const works = async (key: MadeKey): Promise<boolean> => {
  const { status } = await http.call('GET', '/v1/conversations?client_id=none', { key: key.secret });
  const { status: agents } = await http.call('GET', '/v1/agents', { key: key.secret });
  return status !== 403 || agents !== 403;
};

describe('a new key', () => {
  it.each([
    ['consumer', []],
    ['supervisor', []],
    ['compliance', []],
    ['compliance', ['-content:read', '-journal:read']],
    ['admin', []],
    ['operator', ['content:read']],
    ['operator', ['conversations:erase']],
    ['operator', ['api-keys:manage']],
  ] as const)(
    'of role %s with %j waits, says so, and works once another admin has approved it',
    async (role, scopes) => {
      const key = await makeKey(http, { role, scopes });
      expect(await shown(http, key)).toMatchObject({ status: 'awaiting_approval', approved_by: null });
      for (const [method, url] of [
        ['GET', '/v1/conversations'],
        ['GET', '/v1/agents'],
        ['POST', '/v1/api-keys'],
        ['POST', `${key.url}/approve`],
        ['POST', `${key.url}/rotate`],
      ] as const) {
        expect([url, answerOf(await http.call(method, url, { key: key.secret }))]).toEqual([url, FORBIDDEN]);
      }
      expect(answerOf(await approve(key, http.adminKey))).toEqual(FORBIDDEN);
      const approved = await approve(key, second);
      expect(approved.body).toMatchObject({ status: 'active', approved_by: expect.stringMatching(/^key_/) });
      expect(approved.body['approved_by']).not.toBe(approved.body['created_by']);
      expect((await http.call('POST', `${key.url}/rotate`, { key: key.secret })).status).toBe(200);
      const actions = await http.sql<{ action: string }>(
        'select action from journal where $1 = any(object_ids) order by position',
        [key.uuid],
      );
      expect(actions.map(({ action }) => action)).toEqual(['api_key.created', 'api_key.approved', 'api_key.rotated']);
    },
  );

  it.each([
    ['operator', []],
    ['consumer', ['-content:read']],
  ] as const)('of role %s with %j needs no approval', async (role, scopes) => {
    const key = await makeKey(http, { role, scopes });
    expect([await works(key), (await shown(http, key))['status']]).toEqual([true, 'active']);
    expect(answerOf(await approve(key, second))).toEqual([409, 'invalid_state']);
  });

  it('created by a key that is no admin waits, too', async () => {
    const manager = await makeKey(http, { role: 'consumer', scopes: ['api-keys:manage'] });
    await approve(manager, second);
    const below = await makeKey(http, { role: 'consumer' }, manager.secret);
    expect(await works(below)).toBe(false);
    expect(answerOf(await approve(below, manager.secret))).toEqual(FORBIDDEN);
    expect(answerOf(await approve(below, second))).toEqual(OK);
  });
});

describe('a key whose rights are extended', () => {
  it('stops working until a second admin approves: role, right, client or time', async () => {
    const [one, other] = [await makeClient(http), await makeClient(http)];
    const soon = new Date(Date.now() + 3_600_000).toISOString();
    for (const change of [
      { role: 'compliance' },
      { scopes: [] },
      { client_ids: [one, other] },
      { client_ids: '*' },
      { expires_at: null },
    ]) {
      const key = await makeKey(http, {
        scopes: ['-journal:read'],
        role: 'supervisor',
        client_ids: [one],
        expires_at: soon,
      });
      await approve(key, second);
      expect(await works(key)).toBe(true);
      const widened = await http.call('PATCH', key.url, { body: { scopes: ['-content:read', '-journal:read'] } });
      expect(widened.body).toMatchObject({ status: 'active' });
      expect((await http.call('PATCH', key.url, { body: { scopes: ['-journal:read'] } })).body).toMatchObject({
        status: 'awaiting_approval',
        approved_by: null,
      });
      await approve(key, second);
      const { body } = await http.call('PATCH', key.url, { body: change });
      const isWider = JSON.stringify(change) !== '{"scopes":[]}';
      expect([change, body['status'], await works(key)]).toEqual([
        change,
        isWider ? 'awaiting_approval' : 'active',
        !isWider,
      ]);
      if (!isWider) continue;
      expect(answerOf(await approve(key, http.adminKey))).toEqual(FORBIDDEN);
      expect([answerOf(await approve(key, second)), await works(key)]).toEqual([OK, true]);
    }
  });

  it('keeps waiting if it is renamed or narrowed, unless nothing is left that needs approval', async () => {
    const key = await makeKey(http, { role: 'supervisor' });
    for (const change of [{ name: 'Other' }, { scopes: ['-alerts:manage'] }]) {
      const { body } = await http.call('PATCH', key.url, { body: change });
      expect(body['status']).toBe('awaiting_approval');
    }
    const { body } = await http.call('PATCH', key.url, { body: { role: 'operator', scopes: [] } });
    expect(body['status']).toBe('active');
  });

  it('is approved in the version that was read: If-Match', async () => {
    const key = await makeKey(http, { role: 'consumer' });
    const seen = String((await http.call('GET', key.url, { key: second })).headers['etag']);
    await http.call('PATCH', key.url, { body: { role: 'compliance' } });
    expect(answerOf(await approve(key, second, { 'if-match': seen }))).toEqual([412, 'precondition_failed']);
    expect(await works(key)).toBe(false);
  });
});

describe('one person with two keys', () => {
  it('count as one: an admin created by an admin alone approves nothing of it, not even through a third', async () => {
    // Before four eyes were switched on, nobody had to approve.
    const alone = await startHttpApp({ ...http.env, COLLOQUY_FOUR_EYES: 'off' });
    const puppet = await makeKey(alone);
    const itsPuppet = await makeKey(alone, {}, puppet.secret);
    await alone.stop();
    const key = await makeKey(http, { role: 'compliance' });
    const byPuppet = await makeKey(http, { role: 'compliance' }, puppet.secret);
    for (const eyes of [http.adminKey, puppet.secret, itsPuppet.secret]) {
      expect(answerOf(await approve(key, eyes))).toEqual(FORBIDDEN);
      expect(answerOf(await approve(byPuppet, eyes))).toEqual(FORBIDDEN);
    }
    expect(answerOf(await approve(key, second))).toEqual(OK);
  });

  it('does not get a second admin by itself', async () => {
    const admin = await makeKey(http);
    expect(answerOf(await approve(admin, http.adminKey))).toEqual(FORBIDDEN);
    expect(answerOf(await approve(admin, admin.secret))).toEqual(FORBIDDEN);
    expect(await works(admin)).toBe(false);
  });

  it('are distinguished from two people: an admin approved by a second one, whose secret its creator no longer knows', async () => {
    const third = await makeKey(http);
    await approve(third, second);
    const [byMaker, bySecond] = [
      await makeKey(http, { role: 'compliance' }),
      await makeKey(http, { role: 'compliance' }, second),
    ];
    expect(answerOf(await approve(byMaker, third.secret))).toEqual(FORBIDDEN);
    expect(answerOf(await approve(bySecond, third.secret))).toEqual(OK);
    const { body } = await http.call('POST', `${third.url}/rotate`, { key: third.secret });
    expect(answerOf(await approve(byMaker, String(body['secret'])))).toEqual(OK);
  });

  it('cannot use a narrowed admin to approve what that one may not grant', async () => {
    const narrowed = await makeKey(http, { scopes: ['-content:read'] });
    await approve(narrowed, second);
    const key = await makeKey(http, { role: 'consumer' });
    expect(answerOf(await approve(key, narrowed.secret))).toEqual(FORBIDDEN);
  });
});

describe('an approval', () => {
  it('happens once, and the same request gets the same response again', async () => {
    const key = await makeKey(http, { role: 'consumer' });
    const headers = { 'idempotency-key': 'approve-once' };
    const [first, again] = [await approve(key, second, headers), await approve(key, second, headers)];
    expect([answerOf(first), answerOf(again)]).toEqual([OK, OK]);
    expect(answerOf(await approve(key, second))).toEqual([409, 'invalid_state']);
  });

  it('does not reactivate a revoked key', async () => {
    const key = await makeKey(http, { role: 'consumer' });
    await http.call('DELETE', key.url);
    expect(answerOf(await approve(key, second))).toEqual([409, 'invalid_state']);
  });

  it('is still needed for waiting keys after the setting is switched off', async () => {
    const key = await makeKey(http, { role: 'consumer' });
    const off = await startHttpApp({ ...http.env, COLLOQUY_FOUR_EYES: 'off' });
    expect(answerOf(await off.call('GET', '/v1/conversations', { key: key.secret }))).toEqual(FORBIDDEN);
    await off.stop();
  });
});

describe('a list of keys', () => {
  it('shows which ones wait', async () => {
    const key = await makeKey(http, { role: 'consumer' });
    const { body } = await http.call('GET', '/v1/api-keys?limit=200');
    const row = (body['data'] as { id: string }[]).find(({ id }) => id === key.id);
    expect(row).toMatchObject({ status: 'awaiting_approval', approved_by: null, approved_at: null });
  });
});
