// Row-level security, table by table, without the predicates of our own statements.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DataSource } from 'typeorm';
import { uuidOf } from '../../src/common/ids.js';
import { createDataSource } from '../../src/database/data-source.js';
import { withScope } from '../../src/database/with-scope.js';
import { numberJournal } from '../support/worker-parts.js';
import { startTwoClients, type TwoClients } from './two-clients.js';

/** A table whose rows belong to clients: by `client_id`, clients themselves by `id`. */
interface ClientTable {
  name: string;
  column: string;
  /** What colloquy_api may do with it at all. */
  reads: boolean;
  inserts: boolean;
  updates: boolean;
  deletes: boolean;
}

const may = (right: string): string => `has_table_privilege('colloquy_api', c.oid, '${right}')`;
const TABLES = `
select c.relname as name, a.attname as column, ${may('select')} as reads, ${may('insert')} as inserts,
  ${may('update')} as updates, ${may('delete')} as deletes
from pg_class c join pg_attribute a on a.attrelid = c.oid and not a.attisdropped
  and a.attname = case c.relname when 'clients' then 'id' else 'client_id' end
where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace order by 1`;

let two: TwoClients;
let tables: ClientTable[];
let source: DataSource;
/** uuids */
let [other, own] = ['', ''];

beforeAll(async () => {
  two = await startTwoClients('both');
  [other, own] = [uuidOf('client', two.otherClient), uuidOf('client', two.ownClient)];
  // Reads write rows, too.
  for (const path of [`/v1/conversations/${two.foreign['conversations']}`, '/v1/conversations?view=full'])
    await two.http.call('GET', path, { key: two.owners.supervisor });
  await numberJournal(two.http.workerConfig);
  tables = await two.http.sql<ClientTable>(TABLES);
  source = createDataSource({ url: two.http.databaseUrl, role: 'colloquy_api', poolSize: 1 });
  await source.initialize();
});
afterAll(async () => {
  await source.destroy();
  await two.http.stop();
});

/** Rows that a statement returns to the API with the scope of its own client. */
const asApi = (text: string, values: unknown[] = []): Promise<object[]> =>
  withScope(source, [own], (tx) => tx.query({ text, values }));

const only = (right: 'reads' | 'inserts' | 'updates' | 'deletes'): ClientTable[] => tables.filter((one) => one[right]);

describe('row-level security', () => {
  it('is enabled and forced on every table with a client_id', async () => {
    const guarded = await two.http.sql<{ name: string }>(
      'select relname as name from pg_class where relrowsecurity and relforcerowsecurity',
    );
    expect(tables.length).toBeGreaterThan(12);
    expect(guarded.map(({ name }) => name)).toEqual(expect.arrayContaining(tables.map(({ name }) => name)));
  });

  it('cannot be bypassed: no role of the processes bypasses it or owns a table', async () => {
    const roles = await two.http.sql<{ name: string }>(`
      select rolname as name from pg_roles
      where rolname like 'colloquy%' and rolname <> 'colloquy_owner' and (rolbypassrls or rolsuper
        or exists (select 1 from pg_class c where c.relowner = pg_roles.oid))`);
    expect(roles).toEqual([]);
  });

  it('returns nothing to the API without a scope', async () => {
    for (const { name } of tables) await expect(source.query(`select 1 from ${name}`), name).rejects.toThrow();
  });

  it('hides every row of another client in every table, and the facts of its conversations', async () => {
    for (const { name, column, reads } of tables) {
      const there = await two.http.sql(`select 1 from ${name} where ${column} = $1`, [other]);
      expect(there.length, `${name} has rows of the other client`).toBeGreaterThan(0);
      const text = `select 1 from ${name} where ${column} = $1`;
      if (reads) expect(await asApi(text, [other]), name).toEqual([]);
      else await expect(asApi(text, [other]), name).rejects.toThrow('permission denied');
    }
    expect(await two.http.sql('select 1 from inbox')).not.toEqual([]);
    expect(await asApi('select id from inbox')).toEqual([]);
  });

  it('lets nobody change, delete or insert a row of another client, where the API may write at all', async () => {
    expect(only('updates').map(({ name }) => name)).toEqual([
      ...['agents', 'backfills', 'clients', 'live_polls', 'provider_accounts'],
    ]);
    for (const { name, column } of only('updates')) {
      const text = `update ${name} set ${column} = ${column} where ${column} = $1 returning 1`;
      expect(await asApi(text, [other]), name).toEqual([]);
    }
    for (const { name, column } of only('deletes'))
      expect(await asApi(`delete from ${name} where ${column} = $1 returning 1`, [other]), name).toEqual([]);
    for (const { name, column } of only('inserts')) {
      const [{ row } = { row: null }] = await two.http.sql<{ row: object | null }>(
        `select to_json(t) as row from ${name} t where ${column} = $1`,
        [other],
      );
      const text = `insert into ${name} overriding system value select * from json_populate_record(null::${name}, $1)`;
      await expect(asApi(text, [JSON.stringify(row)]), name).rejects.toThrow('row-level security');
    }
  });

  it('lets nobody move an own row to another client', async () => {
    const key = { key: two.strangers[0] ?? '' };
    await two.http.call('POST', '/v1/agents', { ...key, body: { client_id: two.ownClient, name: 'Mine' } });
    await expect(asApi('update agents set client_id = $1', [other])).rejects.toThrow('row-level security');
  });
});
