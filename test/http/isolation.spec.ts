// Nothing crosses from one client to another: by the predicates of our statements, by row-level security, and by each alone.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONTRACT } from './contract.js';
import { startTwoClients, type Locks, type TwoClients } from './two-clients.js';

const LISTS = CONTRACT.filter(({ method, url }) => method === 'GET' && !url.includes(':') && url.startsWith('/v1/'));
const ONE = CONTRACT.filter(({ url, right }) => url.includes(':') && right !== null);
const kindOf = (url: string): string => url.split('/')[2] ?? '';

const LOCKS: Locks[] = ['both', 'predicates', 'row-level security'];

describe.each(LOCKS)("another client's objects, kept apart by %s", (locks) => {
  let two: TwoClients;
  beforeAll(async () => {
    two = await startTwoClients(locks);
  });
  afterAll(() => two.http.stop());

  /** API keys are in a table without a client: predicates are their only protection. */
  const isKept = ({ url }: { url: string }): boolean => locks !== 'row-level security' || kindOf(url) !== 'api-keys';

  it('exist: their owner finds them in every list', async () => {
    const { http, foreign, owners } = two;
    for (const { url } of LISTS) {
      const answers = await Promise.all(Object.values(owners).map((key) => http.call('GET', url, { key })));
      expect(answers.map(({ text }) => text).join(), url).toContain(foreign[kindOf(url)]);
    }
  });

  it('are 404 on every route, for every role', async () => {
    const { http, foreign, strangers } = two;
    expect(ONE.filter(({ url }) => foreign[kindOf(url)] === undefined)).toEqual([]);
    for (const { method, url } of ONE.filter(isKept)) {
      const path = url.replace(/:\w+/, foreign[kindOf(url)] ?? '');
      const body = method === 'PATCH' ? { name: 'Stolen' } : undefined;
      const answers = await Promise.all(
        strangers.map((key) => http.call(method, path, { key, ...(body && { body }) })),
      );
      const open = answers.filter(({ status }) => status !== 403);
      expect(open.length, `${method} ${url} has a role that may call it`).toBeGreaterThan(0);
      expect(new Set(open.map(({ body: { code } }) => code)), `${method} ${url}`).toEqual(new Set(['not_found']));
    }
  });

  it('are 404 while their owner reads the same ones', async () => {
    const { http, foreign, owners, strangers } = two;
    const path = `/v1/conversations/${foreign['conversations']}/transcript`;
    const ask = (key: string): Promise<number> => http.call('GET', path, { key }).then(({ status }) => status);
    const [, stranger = ''] = strangers;
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => ask(index % 2 === 0 ? owners.supervisor : stranger)),
    );
    expect(answers).toEqual(Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? 200 : 404)));
  });

  it('are unchanged afterwards', async () => {
    const { http, foreign, owners } = two;
    const readable = Object.entries(foreign).filter(([kind]) =>
      CONTRACT.some(({ method, url }) => method === 'GET' && url === `/v1/${kind}/:id`),
    );
    expect(readable.length).toBeGreaterThan(4);
    for (const [kind, id] of readable) {
      const key = kind === 'conversations' ? owners.supervisor : owners.admin;
      const { status, body } = await http.call('GET', `/v1/${kind}/${id}`, { key });
      expect([kind, status, body['name'] === 'Stolen']).toEqual([kind, 200, false]);
    }
    const { body } = await http.call('GET', '/v1/parked-facts', { key: owners.operator });
    expect(body['data']).toMatchObject([{ id: foreign['parked-facts'], state: 'parked' }]);
  });

  it('leave lists empty, with and without a filter', async () => {
    const { http, foreign, otherClient, strangers } = two;
    for (const { url } of LISTS.filter(isKept)) {
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

  it('are 404 in request bodies, too', async () => {
    const { http, otherClient, strangers } = two;
    const [admin = ''] = strangers;
    const bodies: [string, object][] = [
      ['/v1/agents', { client_id: otherClient, name: 'A' }],
      ['/v1/provider-accounts', { provider: 'retell', name: 'A', client_id: otherClient, api_key: 'k' }],
      ['/v1/api-keys', { name: 'A', role: 'admin', client_ids: [otherClient] }],
    ];
    for (const [url, body] of bodies) {
      const answer = await http.call('POST', url, { key: admin, body });
      expect([url, answer.status, answer.body['code']]).toEqual([url, 404, 'not_found']);
    }
  });
});
