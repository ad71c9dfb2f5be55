// Finding candidates by keyed hash: pages, clients, and a query plan that uses only the index.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { newUuid } from '../../src/common/ids.js';
import { SearchDatabase } from '../../src/database/search/search-database.js';
import { searchDataSource, type SearchRole } from '../../src/database/search/search-data-source.js';
import { IndexWriter, type IndexDocument } from '../../src/search/index-writer.js';
import { LookUps, PAGE, type LookUp, type LookUpResult } from '../../src/search/look-ups.js';
import type { BlindIndexKind } from '../../src/vault/blind-index-hasher.js';
import { openVault } from '../../src/vault/open-vault.js';
import type { VaultService } from '../../src/vault/vault.service.js';
import { createTestDatabases, outsidePool, type TestDatabases } from '../support/databases.js';
import { explain, nodesOf } from '../support/query-plan.js';
import { newRootKey } from '../support/root-key.js';

const [ONE, OTHER] = [newUuid(), newUuid()];
const NUMBER = '+12025550142';
const FIRST_MS = 1_760_000_000_000;

let databases: TestDatabases;
let folder: string;
let vault: VaultService;
let sql: Pool;
let api: SearchDatabase;
let worker: SearchDatabase;
let lookUps: LookUps;

const open = (role: SearchRole): SearchDatabase => {
  const url = databases.settingsOf(role === 'colloquy_search_api' ? 'api' : 'worker').SEARCH_DATABASE_URL;
  return new SearchDatabase(searchDataSource({ url, role, poolSize: 2 }));
};

beforeAll(async () => {
  databases = await createTestDatabases(inject('services').postgresUrl);
  folder = mkdtempSync(join(tmpdir(), 'colloquy-look-ups-'));
  vault = await openVault({ keystoreUrl: databases.keystoreUrl, rootKeyFile: newRootKey(folder) });
  sql = outsidePool(databases.searchUrl);
  [api, worker] = [open('colloquy_search_api'), open('colloquy_search_worker')];
  lookUps = new LookUps(api, vault);
});
afterAll(async () => {
  await Promise.all([api.close(), worker.close(), vault.close(), sql.end()]);
  await databases.drop();
  rmSync(folder, { recursive: true, force: true });
});

interface Call {
  clientId: string;
  /** Seconds after {@link FIRST_MS}. */
  at: number;
  values: [BlindIndexKind, string][];
}

async function add(...calls: Call[]): Promise<string[]> {
  const documents = await Promise.all(
    calls.map(async ({ clientId, at, values }): Promise<IndexDocument> => {
      const hasher = await vault.indexHasher(clientId);
      const entries = values.map(([kind, value]) => ({ kind, hash: hasher.hash(kind, value) }));
      const startTime = new Date(FIRST_MS + at * 1000);
      return { conversationId: newUuid(), clientId, revision: 1, startTime, entries };
    }),
  );
  await new IndexWriter(worker).write(documents);
  return documents.map(({ conversationId }) => conversationId);
}

const find = (lookUp: Partial<LookUp>): Promise<LookUpResult> =>
  lookUps.find({
    clientIds: [ONE],
    kind: 'phone',
    values: [[NUMBER]],
    order: 'newest first',
    after: null,
    limit: 10,
    ...lookUp,
  });
const idsOf = ({ candidates }: LookUpResult): string[] => candidates.map(({ conversationId }) => conversationId);

describe('LookUps.find', () => {
  let calls: string[];
  let theirs: string[];

  beforeAll(async () => {
    // Two of them at the same time.
    const mine = [0, 1, 2, 2, 4].map((at): Call => ({
      clientId: ONE,
      at,
      values: [
        ['phone', NUMBER],
        ['tag', 'vip'],
      ],
    }));
    calls = await add(...mine);
    theirs = await add({ clientId: OTHER, at: 3, values: [['phone', NUMBER]] });
    await add({ clientId: ONE, at: 9, values: [['phone', '+12025550199']] });
    await add({ clientId: ONE, at: 10, values: [['tag', NUMBER]] });
  });

  it.each(['newest first', 'oldest first'] as const)(
    'returns each candidate once over all pages, %s',
    async (order) => {
      const found: string[] = [];
      let after: LookUp['after'] = null;
      for (;;) {
        const { candidates } = await find({ order, after, limit: 2 });
        found.push(...candidates.map(({ conversationId }) => conversationId));
        after = candidates.at(-1) ?? null;
        if (candidates.length < 2) break;
      }
      // By time; the two with the same time by id.
      const [first, second, ...others] = calls;
      const inOrder = [first, second, ...others.slice(0, 2).sort(), ...others.slice(2)];
      expect(found).toEqual(order === 'newest first' ? inOrder.toReversed() : inOrder);
    },
  );

  it('returns what is needed to decrypt a candidate, and how complete the index is', async () => {
    const found = await find({ limit: 1 });
    expect(found).toEqual({
      candidates: [{ conversationId: calls[4], clientId: ONE, startTime: new Date(FIRST_MS + 4000) }],
      complete: false,
      indexedUntil: null,
    });
    const nobody = { values: [['+12025550000'] as const] };
    await sql.query('update search_state set complete = true');
    expect(await find(nobody)).toEqual({ candidates: [], complete: true, indexedUntil: null });
    await sql.query(`update search_state set indexed_until = '2026-11-30T00:00:00Z'`);
    const indexedUntil = new Date('2026-11-30T00:00:00Z');
    expect(await find(nobody)).toEqual({ candidates: [], complete: false, indexedUntil });
  });

  it('matches any of several values, and returns a conversation with two of them once', async () => {
    const [both] = await add({
      clientId: ONE,
      at: 20,
      values: [
        ['tag', 'a'],
        ['tag', 'b'],
      ],
    });
    const [single] = await add({ clientId: ONE, at: 21, values: [['tag', 'b']] });
    expect(idsOf(await find({ kind: 'tag', values: [['a'], ['b'], ['c']] }))).toEqual([single, both]);
  });

  it('finds the conversations of the given clients in one order', async () => {
    expect(idsOf(await find({ clientIds: [OTHER] }))).toEqual(theirs);
    expect(idsOf(await find({ clientIds: [ONE, OTHER], limit: 2 }))).toEqual([calls[4], ...theirs]);
    expect(idsOf(await find({ clientIds: [] }))).toEqual([]);
  });

  it('creates no key for a client without indexed conversations', async () => {
    const unknown = newUuid();
    expect(idsOf(await find({ clientIds: [unknown] }))).toEqual([]);
    expect(await vault.findIndexHasher(unknown)).toBeNull();
  });
});

describe('isolation', () => {
  const statement = PAGE['newest first'];
  /** Looks up the number of the other client while only the own client is in scope. */
  const askForOther = async () => {
    const hash = (await vault.indexHasher(OTHER)).hash('phone', NUMBER);
    const values = [[OTHER], [hash], 'phone', ...statement.beginning, 10];
    return api.once<{ start_time: Date | null }>([ONE], { ...statement.statement, values });
  };

  it('by row-level security works without the predicates of the statement', async () => {
    expect((await askForOther()).filter(({ start_time }) => start_time !== null)).toEqual([]);
    await sql.query('alter table blind_indexes disable row level security');
    expect((await askForOther()).filter(({ start_time }) => start_time !== null)).toHaveLength(1);
  });

  it('by predicates works without row-level security', async () => {
    expect((await find({ clientIds: [ONE] })).candidates.map(({ clientId }) => clientId)).not.toContain(OTHER);
    await sql.query('alter table blind_indexes enable row level security');
  });

  it('returns nothing to the API without a scope', async () => {
    await expect(api.dataSource.query('select 1 from blind_indexes')).rejects.toThrow();
  });
});

describe('the plan of a look-up among 100,000 conversations', () => {
  beforeAll(async () => {
    // One call in ten has the same number, like that of a switchboard.
    await sql.query(
      `insert into blind_indexes select $1, kind, decode(md5(case when kind = 'phone' and n % 10 = 0 then 'common' else kind || n end), 'hex'),
         to_timestamp(1760000000 + n), gen_random_uuid()
       from generate_series(1, 100000) as n, unnest(array['phone', 'phone_last4']) as kind`,
      [ONE],
    );
    await sql.query('vacuum analyze blind_indexes');
  });

  it.each(['newest first', 'oldest first'] as const)(
    'reads only the index, and only a page of it: %s',
    async (order) => {
      const { statement, beginning } = PAGE[order];
      const hash = Buffer.from((await sql.query<{ md5: string }>("select md5('common')")).rows[0]?.md5 ?? '', 'hex');
      const values = [[ONE], [hash], 'phone', ...beginning, 50];
      const plan = await explain((explained) => api.once([ONE], explained), { text: statement.text, values });
      const onIndexes = nodesOf(plan).filter((node) => node['Relation Name'] === 'blind_indexes');
      expect(onIndexes.map((node) => node['Node Type'])).toEqual(['Index Only Scan']);
      expect(onIndexes[0]).toMatchObject({ 'Index Name': 'blind_indexes_pkey', 'Actual Rows': 50 });
      expect(onIndexes[0]?.['Shared Hit Blocks']).toBeLessThan(100);
    },
  );
});
