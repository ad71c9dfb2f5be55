// The entities declare the tables that the migrations create, in both directions: TypeORM creates what is declared in an empty
// database, and its catalog is compared with that of a migrated one. Entities cannot declare, so this test does not cover:
// row-level security, grants and owners (logins.spec.ts, row-level-security.spec.ts), triggers, functions, storage parameters
// and `unlogged`, indexes with expressions, and sort order of indexes.
import { Client } from 'pg';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createDataSource } from '../../src/database/data-source.js';
import { keystoreDataSource } from '../../src/vault/keystore/keystore-data-source.js';
import { searchDataSource } from '../../src/database/search/search-data-source.js';
import { createTestDatabases, type TestDatabases } from '../support/databases.js';

const CATALOG = `
with tables as (
  select oid, relname from pg_class
  where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm') and relname <> 'migrations'
)
select format('column %s.%s %s%s%s%s', relname, attname, format_type(atttypid, atttypmod),
    case when attnotnull then ' not null' end, ' default ' || pg_get_expr(adbin, adrelid),
    case attidentity when 'a' then ' always identity' when 'd' then ' identity' end) as line
  from tables t join pg_attribute a on a.attrelid = t.oid and attnum > 0 and not attisdropped
  left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
union all
select format('constraint %s.%s %s', relname, conname, pg_get_constraintdef(c.oid))
  from tables t join pg_constraint c on c.conrelid = t.oid and contype <> 'n'
union all
select format('%s %s.%s (%s)%s', case when indisunique then 'unique index' else 'index' end, t.relname, i.relname,
    (select string_agg(pg_get_indexdef(indexrelid, n, true), ', ' order by n) from generate_series(1, indnkeyatts) n),
    ' where ' || pg_get_expr(indpred, indrelid))
  from tables t join pg_index x on x.indrelid = t.oid and indexprs is null join pg_class i on i.oid = indexrelid
order by 1`;

let databases: TestDatabases[];
/** The content database. */
let migrated: Client;
let declared: string[];

const catalogOf = async (client: Client): Promise<string[]> =>
  (await client.query<{ line: string }>(CATALOG)).rows.map(({ line }) => line);

/** What exists on one side only. */
function driftOf(made: string[], entities: string[]): { undeclared: string[]; unmigrated: string[] } {
  return {
    undeclared: made.filter((line) => !entities.includes(line)),
    unmigrated: entities.filter((line) => !made.includes(line)),
  };
}

const drift = async (): Promise<ReturnType<typeof driftOf>> => driftOf(await catalogOf(migrated), declared);

async function open(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return client;
}

/** The catalog of an empty database in which TypeORM has created what the entities declare. */
async function declare(url: string, source: DataSource): Promise<string[]> {
  const client = await open(url);
  await client.query('drop schema public cascade; create schema public');
  await source.initialize();
  await source.synchronize();
  await source.destroy();
  const lines = await catalogOf(client);
  await client.end();
  return lines;
}

beforeAll(async () => {
  const { postgresUrl } = inject('services');
  databases = [await createTestDatabases(postgresUrl), await createTestDatabases(postgresUrl)];
  const [one, other] = databases;
  migrated = await open(one?.databaseUrl ?? '');
  const url = other?.databaseUrl ?? '';
  declared = await declare(url, createDataSource({ url, role: 'owner', poolSize: 1 }));
});
afterAll(async () => {
  await migrated.end();
  for (const each of databases) await each.drop();
});

describe('the entities', () => {
  it('declare every table, column, constraint and index of the migrated database, and nothing else', async () => {
    expect(declared.length).toBeGreaterThan(200);
    expect(await drift()).toEqual({ undeclared: [], unmigrated: [] });
  });

  it.each([
    ['create table planted (id uuid)', ['column planted.id uuid'], []],
    ['alter table agents add column nickname text', ['column agents.nickname text'], []],
    ['alter table agents drop column version', [], ['column agents.version text']],
    [
      'alter table agents alter column sealed drop not null',
      ['column agents.sealed bytea'],
      ['column agents.sealed bytea not null'],
    ],
    [
      'alter table conversations alter column turn_count set default 1',
      ['column conversations.turn_count integer not null default 1'],
      ['column conversations.turn_count integer not null default 0'],
    ],
    [
      'alter table conversations alter column duration_ms type integer',
      ['column conversations.duration_ms integer'],
      ['column conversations.duration_ms bigint'],
    ],
    [
      'alter table workflow_commands alter column id set generated by default',
      ['column workflow_commands.id bigint not null identity'],
      ['column workflow_commands.id bigint not null always identity'],
    ],
    [
      'alter table agents drop constraint agents_client_fk',
      [],
      ['constraint agents.agents_client_fk FOREIGN KEY (client_id) REFERENCES clients(id)'],
    ],
    [
      "alter table inbox drop constraint inbox_lane_check, add constraint inbox_lane_check check (lane = 'plain')",
      ["constraint inbox.inbox_lane_check CHECK ((lane = 'plain'::text))"],
      ["constraint inbox.inbox_lane_check CHECK ((lane = ANY (ARRAY['plain'::text, 'large'::text, 'audio'::text])))"],
    ],
    [
      'drop index inbox_parked_idx; create index inbox_parked_idx on inbox (parked_at, id)',
      ['index inbox.inbox_parked_idx (parked_at, id)'],
      ["index inbox.inbox_parked_idx (parked_at, id) where (state = 'parked'::text)"],
    ],
  ])('would no longer match after: %s', async (statement, undeclared, unmigrated) => {
    await migrated.query('begin');
    try {
      await migrated.query(statement);
      expect(await drift()).toEqual({ undeclared, unmigrated });
    } finally {
      await migrated.query('rollback');
    }
  });
});

describe('the entities of the other databases', () => {
  it.each([
    ['searchUrl', 10, (url: string) => searchDataSource({ url, role: 'owner', poolSize: 1 })],
    ['keystoreUrl', 30, (url: string) => keystoreDataSource(url)],
  ] as const)('declare their tables as well: %s', async (name, least, sourceOf) => {
    const [one, other] = databases;
    const client = await open(one?.[name] ?? '');
    const url = other?.[name] ?? '';
    const entities = await declare(url, sourceOf(url));
    const made = await catalogOf(client);
    await client.end();
    expect(entities.length).toBeGreaterThan(least);
    expect(driftOf(made, entities)).toEqual({ undeclared: [], unmigrated: [] });
  });
});
