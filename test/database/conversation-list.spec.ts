// What a page of a list costs according to Postgres: in proportion to what it shows, however many conversations there are.
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Caller } from '../../src/access/caller.js';
import { newUuid } from '../../src/common/ids.js';
import type { ConversationRow } from '../../src/conversations/conversation-row.js';
import { findActive, findPage, pageStatement, type Page } from '../../src/conversations/conversation-list.js';
import { createDataSource } from '../../src/database/data-source.js';
import { ApiDatabase } from '../../src/database/database.js';
import type { ClientScope, Statement, Transaction } from '../../src/database/with-scope.js';
import { createTestDatabases, type TestDatabases } from '../support/databases.js';
import { explain, nodesOf, rowsOf, type PlanNode } from '../support/query-plan.js';

const PER_CLIENT = 5_000;
const LIMIT = 50;
const clients = Array.from({ length: 6 }, () => newUuid());
const [big = '', ...others] = clients;

// One of every 500 is live; the conversations of all clients cover the same period.
const FILL = `
insert into conversations (id, client_id, provider, provider_account_id, channel, status, record_state, start_time,
  last_fact_at, header, revision, created_at, updated_at)
select gen_random_uuid(), $1, 'retell', $1, 'phone', case when n % 500 = 0 then 'active' else 'completed' end, 'open',
  now() - n * interval '1 minute', now(), '', 1, now(), now()
from generate_series(1, $2::int) as n`;

let databases: TestDatabases;
let database: ApiDatabase;

beforeAll(async () => {
  databases = await createTestDatabases(inject('services').postgresUrl);
  const owner = new Client({ connectionString: databases.databaseUrl });
  await owner.connect();
  // Rows are inserted without their identities.
  await owner.query("set session_replication_role = 'replica'");
  for (const client of clients) await owner.query(FILL, [client, client === big ? PER_CLIENT * 6 : PER_CLIENT]);
  await owner.query('vacuum analyze conversations');
  await owner.end();
  const source = createDataSource({ url: databases.databaseUrl, role: 'colloquy_api', poolSize: 2 });
  database = new ApiDatabase(await source.initialize());
});
afterAll(async () => {
  await database.close();
  await databases.drop();
});

/** Lists use only the clients of a caller. */
const callerOf = (clients: ClientScope): Caller => ({ clients }) as Caller;
const pageOf = (filter: Page['filter'], sort: Page['sort'] = '-start_time'): Page => ({
  filter,
  sort,
  limit: LIMIT,
  after: null,
});

/** How a statement reads conversations: by which plan nodes, and how many rows it reads. */
async function costOf(scope: ClientScope, statement: Statement): Promise<{ nodes: string[]; examined: number }> {
  const plan = await database.withScope(scope, (tx) => explain((explained) => tx.query(explained), statement));
  const isReading = (node: PlanNode): boolean => node['Relation Name'] === 'conversations';
  // Except those of a row's recordings.
  const nodes = nodesOf(plan).filter((node) => nodesOf(node).some(isReading));
  const examined = nodes.filter(isReading).map(rowsOf);
  return { nodes: nodes.map((node) => node['Node Type']), examined: examined.reduce((sum, rows) => sum + rows, 0) };
}

/** The statement that a call would run. */
async function sentBy(call: (tx: Transaction) => Promise<unknown>): Promise<Statement> {
  let sent: Statement | undefined;
  const query = (statement: Statement) => ((sent = statement), Promise.resolve([]));
  await call({ query } as unknown as Transaction);
  if (sent === undefined) throw new Error('nothing was sent');
  return sent;
}

const ONE = LIMIT + 1;
const allowed: [string, ClientScope, Page['filter'], number][] = [
  ['a key of one client', [big], {}, ONE],
  ['a key of all clients that asks for one', 'all', { client_id: [big] }, ONE],
  ['a key of several clients that asks for one', clients, { client_id: [big, newUuid()] }, ONE],
  ['a key of several clients', clients, {}, ONE * clients.length],
  ['a key of several small clients', others, {}, ONE * others.length],
  ['a key of all clients that asks for several', 'all', { client_id: others }, ONE * others.length],
  ['a key of all clients', 'all', {}, ONE],
];

describe.each(allowed)('a page for %s', (_name, scope, filter, most) => {
  it.each(['-start_time', 'start_time'] as const)('reads only what it shows, sorted by %s', async (sort) => {
    const { nodes, examined } = await costOf(scope, pageStatement(callerOf(scope), pageOf(filter, sort), false));
    expect(nodes).not.toContain('Seq Scan');
    expect(examined).toBeGreaterThanOrEqual(ONE);
    expect(examined).toBeLessThanOrEqual(most);
    // Merged ones are sorted after each client's part was read; others are read in order.
    if (most === ONE) expect(nodes.filter((node) => node.includes('Sort'))).toEqual([]);
  });
});

describe('live conversations', () => {
  it.each<[string, ClientScope]>([
    ['of one client', [big]],
    ['of several clients', clients],
    ['of all', 'all'],
  ])('%s are read by an index of live conversations only', async (_name, scope) => {
    const { examined } = await costOf(scope, await sentBy((tx) => findActive(tx, callerOf(scope), {})));
    expect(examined).toBeLessThanOrEqual((PER_CLIENT * 11) / 500);
  });
});

describe('a list of several clients', () => {
  it('contains those of all of them, in order, over all its pages', async () => {
    const walk = async (scope: ClientScope): Promise<string[]> => {
      const ids: string[] = [];
      for (let after: Page['after'] = null; ids.length < 10 * LIMIT;) {
        const page: Page = { ...pageOf({}), after };
        const rows: ConversationRow[] = await database.withScope(scope, (tx) =>
          findPage(tx, callerOf(scope), page, false),
        );
        const shown = rows.slice(0, LIMIT);
        ids.push(...shown.map(({ id }) => id));
        const last = shown.at(-1);
        if (last === undefined) break;
        after = [last.start_time.toISOString(), last.id];
      }
      return ids;
    };
    expect(await walk(clients)).toEqual(await walk('all'));
    expect(await walk([])).toEqual([]);
  });
});
