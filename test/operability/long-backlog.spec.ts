// Looking for work in an inbox of 120,000 facts: what a search reads does not depend on how many wait, for one worker or several.
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Statement } from '../../src/database/with-scope.js';
import { Candidates } from '../../src/inbox/candidates.js';
import { createTestDatabases, type TestDatabases } from '../support/databases.js';

const FLOOD = '11111111-1111-7111-8111-111111111111';
const QUIET = '99999999-9999-7999-8999-999999999999';
const LIMIT = 32;

let databases: TestDatabases;
let sql: Client;
/** Rows of the inbox that the statements so far have read, by index or without. */
let read = 0;

const READ = `
select seq_tup_read + coalesce(idx_tup_fetch, 0) as read from pg_stat_xact_user_tables where relname = 'inbox'`;

const rowsRead = async (): Promise<number> => Number((await sql.query<{ read: string }>(READ)).rows[0]?.read);

/** One connection that counts what each search reads. */
const counting = {
  once: async <Row>(_: unknown, { text, values }: Statement): Promise<Row[]> => {
    await sql.query('begin');
    const before = await rowsRead();
    const { rows } = await sql.query(text, values as unknown[]);
    read += (await rowsRead()) - before;
    await sql.query('commit');
    return rows as Row[];
  },
};

const candidates = (): Candidates =>
  new Candidates(counting as ConstructorParameters<typeof Candidates>[0], 'plain', LIMIT);

/** Facts, each of its own conversation, one per millisecond; the last one a minute old. */
const wait = (account: string, count: number): Promise<unknown> =>
  sql.query(
    `insert into inbox (id, provider_account_id, identity_hash, source, kind, hash, received_at, key_day, sealed)
     select uuidv7(), $1, int8send(n), 'webhook', 'call_ended', int8send(n), now() - make_interval(secs => 60 + ($2 - n) / 1000.0),
       current_date, '\\x00' from generate_series(1::bigint, $2) as n`,
    [account, count],
  );

const number = ({ identity_hash: hash }: { identity_hash: Buffer }): number => Number(hash.readBigInt64BE());

beforeAll(async () => {
  databases = await createTestDatabases(inject('services').postgresUrl);
  sql = new Client({ connectionString: databases.databaseUrl });
  await sql.connect();
  await wait(FLOOD, 120_000);
  await wait(QUIET, 2);
  await sql.query('analyze inbox');
});
afterAll(async () => {
  await sql.end();
  await databases.drop();
});

describe('a search in a long inbox', () => {
  it('reads a few hundred facts, and finds the conversations of every account', async () => {
    read = 0;
    const found = await candidates().next();
    expect(read).toBeLessThan(500);
    expect(found.filter(({ provider_account_id: account }) => account === QUIET).map(number)).toEqual([1, 2]);
    expect(found.filter(({ provider_account_id: account }) => account === FLOOD).map(number)).toEqual(
      Array.from({ length: LIMIT - 2 }, (_, n) => n + 1),
    );
    // In turn, not the flood first.
    expect(
      found
        .slice(0, 4)
        .map(({ provider_account_id: account }) => account)
        .toSorted(),
    ).toEqual([FLOOD, FLOOD, QUIET, QUIET].toSorted());
  });

  it('continues where the previous one ended, though nothing of it could be applied', async () => {
    const worker = candidates();
    const seen = new Set<number>();
    read = 0;
    for (let look = 0; look < 100; look += 1) for (const one of await worker.next()) seen.add(number(one));
    expect(seen.size).toBe(100 * (LIMIT - 2));
    expect(read).toBeLessThan(100 * 500);
  });

  it('continues elsewhere if another worker is at the same place', async () => {
    const worker = candidates();
    await worker.next();
    worker.scatter(Date.now() - 60_000, 0.5);
    const [first] = await worker.next();
    expect(first && number(first)).toBeGreaterThan(50_000);
    expect(first && number(first)).toBeLessThan(70_000);
  });

  it('reaches the end, and then what was skipped', async () => {
    const worker = candidates();
    await worker.next();
    worker.scatter(Date.now() - 60_000, 0.9);
    const seen: number[] = [];
    while (worker.hasMore) seen.push(...(await worker.next()).map(number));
    expect(seen).toContain(120_000);
    expect((await worker.next()).map(number)).toContain(1);
  });

  it('skips facts that wait for a later time, without reading them', async () => {
    await sql.query("update inbox set retry_at = now() + interval '1 hour' where provider_account_id = $1", [FLOOD]);
    await sql.query('vacuum analyze inbox');
    read = 0;
    expect((await candidates().next()).map(number)).toEqual([1, 2]);
    expect(read).toBeLessThan(50);
  });
});
