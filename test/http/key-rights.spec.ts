// Rights do not grow by themselves: every way in which a key could get more than it has.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { RIGHTS, ROLES, rightsOf, type Role } from '../../src/access/rights.js';
import { uuidOf } from '../../src/common/ids.js';
import { answerOf, makeClient, makeKey, shown, type MadeKey } from './api-keys.js';
import { startHttpApp, type Called, type HttpApp } from './http-app.js';

let http: HttpApp;

beforeAll(async () => {
  http = await startHttpApp();
});
afterAll(() => http.stop());

const FORBIDDEN = [403, 'forbidden'];
const manager = (role: Role, more: object = {}): Promise<MadeKey> =>
  makeKey(http, { role, scopes: ['api-keys:manage'], ...more });
const create = (key: string, body: object): Promise<Called> =>
  http.call('POST', '/v1/api-keys', { key, body: { name: 'New', client_ids: '*', ...body } });
const patch = (key: string, of: MadeKey, body: object): Promise<Called> => http.call('PATCH', of.url, { key, body });

describe('a key and itself', () => {
  it.each(ROLES)('a %s changes neither its role nor its scopes nor its clients', async (role) => {
    const clientId = await makeClient(http);
    const key = await manager(role);
    const before = await shown(http, key);
    for (const other of ROLES.filter((name) => name !== role)) {
      expect(answerOf(await patch(key.secret, key, { role: other }))).toEqual(FORBIDDEN);
    }
    for (const right of RIGHTS) {
      expect(answerOf(await patch(key.secret, key, { scopes: ['api-keys:manage', right, '-alerts:manage'] }))).toEqual(
        FORBIDDEN,
      );
    }
    expect(answerOf(await patch(key.secret, key, { client_ids: [clientId] }))).toEqual(FORBIDDEN);
    const { last_used_at: _, ...after } = await shown(http, key);
    expect(before).toMatchObject(after);
  });

  it('cannot extend its own lifetime, but may shorten it and rename itself', async () => {
    const inAnHour = new Date(Date.now() + 3_600_000);
    const key = await makeKey(http, { expires_at: inAnHour.toISOString() });
    for (const later of [null, new Date(inAnHour.getTime() + 1).toISOString()]) {
      expect(answerOf(await patch(key.secret, key, { expires_at: later }))).toEqual(FORBIDDEN);
    }
    const earlier = new Date(inAnHour.getTime() - 60_000).toISOString();
    const changed = await patch(key.secret, key, { expires_at: earlier, name: 'Mine' });
    expect(changed.body).toMatchObject({ expires_at: earlier, name: 'Mine' });
  });

  it('may always revoke itself, which ends it at once', async () => {
    const key = await manager('consumer');
    expect((await http.call('DELETE', key.url, { key: key.secret })).status).toBe(204);
    expect(answerOf(await http.call('GET', '/v1/api-keys', { key: key.secret }))).toEqual([401, 'key_revoked']);
  });
});

describe('what a key grants', () => {
  it.each(ROLES.filter((role) => role !== 'admin'))('is at most what it has itself: %s', async (role) => {
    const holder = await manager(role);
    const own = rightsOf(role, ['api-keys:manage']);
    for (const given of ROLES) {
      for (const scopes of [[], ...RIGHTS.map((right) => [right]), ...RIGHTS.map((right) => [`-${right}`])]) {
        const rights = [...rightsOf(given, scopes)];
        const isRole = given === role || (role === 'supervisor' && given === 'consumer');
        const expected = isRole && rights.every((right) => own.has(right)) ? 201 : 403;
        expect([given, scopes, (await create(holder.secret, { role: given, scopes })).status]).toEqual([
          given,
          scopes,
          expected,
        ]);
      }
    }
    const made = await http.sql<{ role: Role; scopes: string[] }>(
      'select role, scopes from api_keys where created_by = $1',
      [holder.uuid],
    );
    expect(made.length).toBeGreaterThan(0);
    for (const { role: given, scopes } of made)
      for (const right of rightsOf(given, scopes)) expect(own).toContain(right);
  });

  it.each(ROLES)('an admin creates, changes and revokes keys of the role %s', async (role) => {
    const key = await makeKey(http, { role });
    expect((await patch(http.adminKey, key, { role: 'operator', scopes: ['content:read'] })).status).toBe(200);
    expect((await http.call('DELETE', key.url)).status).toBe(204);
  });

  it('never includes rights that were taken from an admin', async () => {
    const narrowed = await makeKey(http, { scopes: ['-content:read', '-provider-accounts:manage'] });
    expect(answerOf(await create(narrowed.secret, { role: 'consumer' }))).toEqual(FORBIDDEN);
    expect(answerOf(await create(narrowed.secret, { role: 'admin' }))).toEqual(FORBIDDEN);
    expect(answerOf(await create(narrowed.secret, { role: 'operator', scopes: ['content:read'] }))).toEqual(FORBIDDEN);
    const { secret, ...operator } = await makeKey(http, { role: 'operator' }, narrowed.secret);
    const widened = await patch(narrowed.secret, { ...operator, secret }, { scopes: ['content:read'] });
    expect(answerOf(widened)).toEqual(FORBIDDEN);
  });

  it('is not regained through another admin, created or changed', async () => {
    const narrowed = await makeKey(http, { scopes: ['-content:read'] });
    expect(answerOf(await create(narrowed.secret, { role: 'admin' }))).toEqual(FORBIDDEN);
    const alike = await makeKey(http, { scopes: ['-content:read'] }, narrowed.secret);
    expect(answerOf(await patch(narrowed.secret, alike, { scopes: [] }))).toEqual(FORBIDDEN);
    expect(answerOf(await create(alike.secret, { role: 'consumer' }))).toEqual(FORBIDDEN);
    expect((await patch(http.adminKey, alike, { scopes: [] })).status).toBe(200);
  });

  it('does not outlive the key that grants it, unless that is an admin', async () => {
    const ends = { expires_at: new Date(Date.now() + 3_600_000).toISOString() };
    const holder = await manager('consumer', ends);
    expect(answerOf(await create(holder.secret, { role: 'consumer' }))).toEqual(FORBIDDEN);
    const below = await makeKey(http, { role: 'consumer', ...ends }, holder.secret);
    expect(answerOf(await patch(holder.secret, below, { expires_at: null }))).toEqual(FORBIDDEN);
    const admin = await makeKey(http, ends);
    expect((await create(admin.secret, { role: 'consumer' })).status).toBe(201);
  });
});

describe('keys of others', () => {
  it('cannot be changed, revoked or rotated with fewer rights', async () => {
    const consumer = await manager('consumer');
    for (const role of ROLES.filter((name) => name !== 'consumer')) {
      const other = await makeKey(http, { role });
      for (const change of [{ name: 'Mine' }, { role: 'consumer' }, { scopes: ['-content:read'] }]) {
        expect([role, answerOf(await patch(consumer.secret, other, change))]).toEqual([role, FORBIDDEN]);
      }
      expect(answerOf(await http.call('DELETE', other.url, { key: consumer.secret }))).toEqual(FORBIDDEN);
      expect(answerOf(await http.call('POST', `${other.url}/rotate`, { key: consumer.secret }))).toEqual(FORBIDDEN);
      expect(await shown(http, other)).toMatchObject({ name: 'Test', role, scopes: [], revoked_at: null });
    }
  });

  it("cannot be extended beyond one's own rights", async () => {
    const consumer = await manager('consumer');
    const below = await makeKey(http, { role: 'consumer', scopes: ['-content:read'] }, consumer.secret);
    for (const change of [{ role: 'compliance' }, { role: 'admin' }, { scopes: ['conversations:erase'] }]) {
      expect(answerOf(await patch(consumer.secret, below, change))).toEqual(FORBIDDEN);
    }
    expect((await patch(consumer.secret, below, { scopes: [] })).status).toBe(200);
  });

  it("are rotated by their holder only: an admin cannot take over an officer's key", async () => {
    const officer = await makeKey(http, { role: 'compliance' });
    const taken = await http.call('POST', `${officer.url}/rotate`);
    expect([...answerOf(taken), taken.body['secret']]).toEqual([...FORBIDDEN, undefined]);
    expect((await http.call('GET', '/v1/conversations', { key: officer.secret })).status).toBe(200);
  });

  it('that have expired are reactivated by an admin only', async () => {
    const holder = await manager('consumer');
    const ended = await makeKey(http, { role: 'supervisor', expires_at: '2001-01-01T00:00:00Z' });
    expect(answerOf(await patch(ended.secret, ended, { expires_at: null }))).toEqual([401, 'key_expired']);
    expect(answerOf(await patch(holder.secret, ended, { expires_at: null }))).toEqual(FORBIDDEN);
    expect((await patch(http.adminKey, ended, { expires_at: null })).body).toMatchObject({ status: 'active' });
    expect((await http.call('GET', '/v1/conversations', { key: ended.secret })).status).toBe(200);
  });

  it('stay revoked, whatever else is changed', async () => {
    const key = await makeKey(http, { role: 'consumer' });
    await http.call('DELETE', key.url);
    for (const change of [{ name: 'Back' }, { expires_at: '2100-01-01T00:00:00Z' }, { role: 'supervisor' }]) {
      expect(answerOf(await patch(http.adminKey, key, change))).toEqual([409, 'invalid_state']);
    }
    expect(answerOf(await http.call('GET', '/v1/conversations', { key: key.secret }))).toEqual([401, 'key_revoked']);
  });
});

describe('no sequence of requests', () => {
  const scope = fc.constantFrom('api-keys:manage', 'content:read', '-content:read', 'journal:read', 'clients:manage');
  const step = fc.record({
    by: fc.nat(20),
    of: fc.nat(20),
    what: fc.constantFrom('create', 'patch', 'rotate', 'revoke', 'approve'),
    role: fc.constantFrom(...ROLES),
    scopes: fc.subarray([...RIGHTS]).map((rights) => rights.slice(0, 3)),
    more: fc.array(scope, { maxLength: 2 }),
  });

  it('gives the holder of a key, or the keys it creates, a right that it does not have', async () => {
    const work = fc.asyncProperty(
      fc.constantFrom('consumer' as const, 'supervisor' as const, 'operator' as const),
      fc.array(step, { minLength: 15, maxLength: 25 }),
      async (role, steps) => {
        const first = await manager(role);
        const keys = [first];
        const strangers = [await makeKey(http, { role: 'compliance' }), await makeKey(http)];
        for (const { by, of, what, ...grant } of steps) {
          const holder = keys[by % keys.length] ?? first;
          const targets = [...keys, ...strangers];
          const target = targets[of % targets.length] ?? first;
          const body = { role: grant.role, scopes: [...new Set([...grant.scopes, ...grant.more])] };
          const { secret: key } = holder;
          if (what === 'create') {
            const { status, body: made } = await create(key, body);
            const id = String(made['id']);
            const url = `/v1/api-keys/${id}`;
            if (status === 201) keys.push({ id, uuid: uuidOf('apiKey', id), secret: String(made['secret']), url });
          } else if (what === 'patch') await patch(key, target, body);
          else if (what === 'revoke') await http.call('DELETE', target.url, { key });
          else {
            const { body: answer } = await http.call('POST', `${target.url}/${what}`, { key });
            if (typeof answer['secret'] === 'string') target.secret = answer['secret'];
          }
        }
        const own = rightsOf(role, ['api-keys:manage']);
        const rows = await http.sql<{ role: Role; scopes: string[] }>(
          'select role, scopes from api_keys where id = any($1)',
          [keys.map(({ uuid }) => uuid)],
        );
        expect(rows).toHaveLength(keys.length);
        for (const row of rows)
          expect([...rightsOf(row.role, row.scopes)].filter((right) => !own.has(right))).toEqual([]);
        const untouched = await Promise.all(strangers.map((stranger) => shown(http, stranger)));
        expect(untouched.map(({ status, name }) => [status, name])).toEqual([
          ['active', 'Test'],
          ['active', 'Test'],
        ]);
        for (const { secret } of strangers)
          expect((await http.call('GET', '/v1/conversations', { key: secret })).status).not.toBe(401);
      },
    );
    await fc.assert(work, { numRuns: 12, endOnFailure: true });
  }, 60_000);
});

describe('the system log', () => {
  it('contains every change of a key, with who made it', async () => {
    const key = await makeKey(http, { role: 'consumer' });
    await patch(http.adminKey, key, { role: 'supervisor' });
    await http.call('POST', `${key.url}/rotate`, { key: key.secret });
    await http.call('DELETE', key.url);
    const entries = await http.sql<{ action: string; actor_id: string }>(
      'select action, actor_id from journal where $1 = any(object_ids) order by position',
      [key.uuid],
    );
    const { created_by: admin } = await shown(http, key);
    expect(entries).toEqual([
      { action: 'api_key.created', actor_id: admin },
      { action: 'api_key.updated', actor_id: admin },
      { action: 'api_key.rotated', actor_id: key.id },
      { action: 'api_key.revoked', actor_id: admin },
    ]);
  });
});
