import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AccessGate } from '../../src/access/access-gate.js';
import { ROLES, ROLE_RIGHTS, type Role } from '../../src/access/rights.js';
import { routeAccess } from '../../src/access/requires.js';
import { newUuid, publicId, type IdKind } from '../../src/common/ids.js';
import { CONTRACT } from './contract.js';
import { startHttpApp, type HttpApp } from './http-app.js';

let http: HttpApp;
const keys = new Map<Role, string>();

beforeAll(async () => {
  http = await startHttpApp();
  for (const role of ROLES) {
    const answer = await http.call('POST', '/v1/api-keys', { body: { name: role, role, client_ids: '*' } });
    keys.set(role, String(answer.body['secret']));
  }
});
afterAll(() => http.stop());

const KINDS: [RegExp, IdKind][] = [
  [/^\/v1\/agents/, 'agent'],
  [/^\/v1\/api-keys/, 'apiKey'],
  [/^\/v1\/clients/, 'client'],
  [/^\/v1\/conversations/, 'conversation'],
  [/^\/v1\/parked-facts/, 'parkedFact'],
  [/^\/v1\/provider-accounts/, 'providerAccount'],
];

/** The route with ids that do not exist. */
function pathOf(url: string): string {
  const kind = KINDS.find(([pattern]) => pattern.test(url))?.[1] ?? 'client';
  return url.replaceAll(/:\w+/g, publicId(kind, newUuid()));
}

describe('routes', () => {
  it('are those of the contract, each with its declared right', () => {
    const registered = http.fastify.routeTable.routes
      .filter(({ method, url }) => method !== 'HEAD' && !/^\/($|docs|openapi)/.test(url))
      .map(({ method, url, config }) => {
        const access = routeAccess(config);
        const rights = access?.kind === 'rights' ? access.anyOf.join() : access?.kind;
        return `${method} ${url}: ${url.startsWith('/v1/') ? rights : 'public'}`;
      });
    const expected = CONTRACT.map(({ method, url, right }) => `${method} ${url}: ${right ?? 'public'}`);
    expect(registered.sort()).toEqual(expected.sort());
  });

  it('are allowed to exactly the roles of the matrix', async () => {
    const seen: string[] = [];
    const expected: string[] = [];
    for (const { method, url, right } of CONTRACT.filter((route) => route.right !== null)) {
      for (const role of ROLES) {
        const { status, body } = await http.call(method, pathOf(url), { key: keys.get(role) ?? '' });
        const isOpen = status !== 401 && !(status === 403 && body['code'] === 'forbidden');
        const isAllowed = right === 'key' || (right !== null && ROLE_RIGHTS[role].includes(right));
        seen.push(`${method} ${url} ${role}: ${isOpen}`);
        expected.push(`${method} ${url} ${role}: ${isAllowed}`);
      }
    }
    expect(seen).toEqual(expected);
  });

  it('answer 401 without a key, except public ones', async () => {
    for (const { method, url, right } of CONTRACT) {
      const { status, body } = await http.call(method, pathOf(url), { key: null });
      expect([url, body['code'] === 'unauthenticated' && status === 401]).toEqual([url, right !== null]);
    }
  });

  it('are closed if they declare no right', async () => {
    // Fastify accepts no route after its start, so the guard is called directly.
    const request = {
      routeOptions: { url: '/v1/forgotten', config: {} },
      headers: { authorization: `Bearer ${http.adminKey}` },
      ip: '127.0.0.1',
      socket: {},
    };
    const reply = { headers: () => undefined };
    const asked = http.app.get(AccessGate).check(request as never, reply as never);
    await expect(asked).rejects.toMatchObject({ code: 'forbidden' });
  });
});
