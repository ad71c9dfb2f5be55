// What a page of a conversation's history costs according to Postgres: in proportion to what it shows, however many list pages
// were read of the client.
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { newUuid } from '../../src/common/ids.js';
import { historyStatement } from '../../src/conversations/history.service.js';
import { createDataSource } from '../../src/database/data-source.js';
import { ApiDatabase } from '../../src/database/database.js';
import type { JournalEntryEntity } from '../../src/database/entities/journal-entry.entity.js';
import { createTestDatabases, type TestDatabases } from '../support/databases.js';
import { explain, nodesOf, rowsOf } from '../support/query-plan.js';

const PAGES = 20_000;
const LIMIT = 51;
const [clientId, often, once] = [newUuid(), newUuid(), newUuid()];

// `often` is on every page, `once` on the last but one.
const FILL = `
with pages as (
  insert into journal (id, client_id, action, actor_type) select gen_random_uuid(), $1, 'content.listed', 'key'
  from generate_series(1, $2::int) returning position
)
insert into journal_listed (conversation_id, client_id, position)
select unnest(array[$3::uuid, gen_random_uuid()]), $1, position from pages
union all select $4::uuid, $1, max(position) - 1 from pages`;
const OWN = `
insert into journal (id, client_id, conversation_id, action, actor_type)
select gen_random_uuid(), $1, id, 'conversation.created', 'provider' from unnest($2::uuid[]) as id`;

let databases: TestDatabases;
let database: ApiDatabase;

beforeAll(async () => {
  databases = await createTestDatabases(inject('services').postgresUrl);
  const owner = new Client({ connectionString: databases.databaseUrl });
  await owner.connect();
  await owner.query(OWN, [clientId, [often, once]]);
  await owner.query(FILL, [clientId, PAGES, often, once]);
  await owner.query('vacuum analyze journal, journal_listed');
  await owner.end();
  const source = createDataSource({ url: databases.databaseUrl, role: 'colloquy_api', poolSize: 1 });
  database = new ApiDatabase(await source.initialize());
});
afterAll(async () => {
  await database.close();
  await databases.drop();
});

/** Rows of both tables that Postgres reads for a page. */
async function examined(conversationId: string, after: number): Promise<number> {
  const statement = historyStatement(conversationId, clientId, after, LIMIT);
  const plan = await database.withScope([clientId], (tx) => explain((explained) => tx.query(explained), statement));
  const read = nodesOf(plan).filter((node) => node['Relation Name'] !== undefined);
  expect(read.map((node) => node['Node Type'])).not.toContain('Seq Scan');
  return read.reduce((sum, node) => sum + rowsOf(node), 0);
}

describe('a page of the history', () => {
  it.each([
    ['of a conversation on every page', often, 0],
    ['of one on a single page', once, 0],
    ['far down', often, PAGES / 2],
  ])('reads only what it shows: %s', async (_name, conversationId, after) => {
    expect(await examined(conversationId, after)).toBeLessThanOrEqual(3 * LIMIT);
  });

  it('contains entries of list pages among its own, and no page without the conversation', async () => {
    const shown = await database.withScope([clientId], (tx) =>
      tx.query<JournalEntryEntity>(historyStatement(once, clientId, 0, LIMIT)),
    );
    expect(shown.map(({ action }) => action)).toEqual(['conversation.created', 'content.listed']);
    expect(Number(shown[1]?.position)).toBe(PAGES + 1);
  });
});
