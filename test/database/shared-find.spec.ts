// Batched look-ups on a real Postgres: the rows show the scope in which they were read.
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { newUuid } from '../../src/common/ids.js';
import { createDataSource } from '../../src/database/data-source.js';
import { ApiDatabase } from '../../src/database/database.js';
import { BatchedLookup } from '../../src/database/batched-lookup.js';
import { createTestDatabases, type TestDatabases } from '../support/databases.js';

interface Row {
  id: string;
  scope: string;
  statement: string;
}

const STATEMENT = {
  name: 'scopes',
  text: `select id as find_id, id, current_setting('app.clients') as scope, statement_timestamp()::text as statement
from unnest($1::uuid[]) as id where $2::uuid[] is null or cardinality($2::uuid[]) > 0`,
};
const [one, two] = [newUuid(), newUuid()];

let databases: TestDatabases;
let database: ApiDatabase;

beforeAll(async () => {
  databases = await createTestDatabases(inject('services').postgresUrl);
  const source = createDataSource({ url: databases.databaseUrl, role: 'colloquy_api', poolSize: 4 });
  database = new ApiDatabase(await source.initialize());
});
afterAll(async () => {
  await database.close();
  await databases.drop();
});

describe('concurrent look-ups', () => {
  it('share a statement, each with its own rows', async () => {
    const find = new BatchedLookup<Row>(database, STATEMENT);
    const ids = Array.from({ length: 30 }, () => newUuid());
    const answers = await Promise.all([...ids, ...ids].map((id) => find.find([one], id)));
    expect(answers.map((rows) => rows.map(({ id }) => id))).toEqual([...ids, ...ids].map((id) => [id]));
    expect(new Set(answers.flat().map(({ statement }) => statement)).size).toBeLessThan(6);
  });

  it('never share one with another scope', async () => {
    const find = new BatchedLookup<Row>(database, STATEMENT);
    const id = newUuid();
    const scopes = Array.from({ length: 30 }, (_, index) => [[one], [two], [one, two]][index % 3] ?? []);
    const answers = await Promise.all(scopes.map((clients) => find.find(clients, id)));
    expect(answers.map(([row]) => row?.scope)).toEqual(scopes.map((clients) => `{${clients.join(',')}}`));
  });

  it('return nothing for an id without rows', async () => {
    expect(await new BatchedLookup<Row>(database, STATEMENT).find([], newUuid())).toEqual([]);
  });

  it('all fail if their statement fails, and the next one is sent again', async () => {
    const text = `select id as find_id, 1 / (case when id = '${one}' then 0 else 1 end) as id from unnest($1::uuid[]) as id where $2::uuid[] is null`;
    const find = new BatchedLookup<Row>(database, { name: 'broken', text });
    const answers = await Promise.allSettled([find.find('all', one), find.find('all', two)]);
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await find.find('all', two)).toHaveLength(1);
  });
});
