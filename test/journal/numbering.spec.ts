// Numbering of the journal while writers wait, roll back and are killed, and two leaders compete. The full version, with
// processes, is test/battery/journal.whole.ts.
import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { newUuid } from '../../src/common/ids.js';
import { Log } from '../../src/common/log.js';
import { createDataSource } from '../../src/database/data-source.js';
import { WorkerDatabase } from '../../src/database/database.js';
import { appendJournal, type NewEntry } from '../../src/journal/append.js';
import { JournalNumbering } from '../../src/journal/journal-numbering.js';
import { createTestDatabases, type TestDatabases } from '../support/databases.js';
import { auditJournal } from '../support/journal-audit.js';
import { killConnections } from './kills.js';
import { auditWriters, write, type WrittenConversation } from './writers.js';

const WRITERS = 16;
const KILLS = 40;
const CONVERSATIONS = 6;
const CLIENTS = [newUuid(), newUuid(), newUuid()];

let databases: TestDatabases;
let sql: Pool;
let leaders: JournalNumbering[];
const pools: WorkerDatabase[] = [];

async function open(applicationName: string, poolSize: number): Promise<WorkerDatabase> {
  const { DATABASE_URL: url } = databases.settingsOf('worker');
  const source = createDataSource({ url, role: 'colloquy_worker', poolSize, applicationName });
  const database = new WorkerDatabase(await source.initialize());
  pools.push(database);
  return database;
}

beforeAll(async () => {
  databases = await createTestDatabases(inject('services').postgresUrl);
  sql = new Pool({ connectionString: databases.databaseUrl, max: 3 });
  const log = new Log('silent');
  leaders = [
    new JournalNumbering(await open('leader 1', 2), log),
    new JournalNumbering(await open('leader 2', 2), log),
  ];
});
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.close()));
  await sql.end();
  await databases.drop();
});

async function identities(): Promise<WrittenConversation[]> {
  const { rows } = await sql.query<WrittenConversation>(
    `insert into conversation_identities (id, client_id, provider_account_id, identity_hash, suppression_hash)
     select gen_random_uuid(), ($1::uuid[])[1 + n % $2], gen_random_uuid(), int4send(n), int4send(n)
     from generate_series(1, $3::int) as n
     returning id, client_id`,
    [CLIENTS, CLIENTS.length, CONVERSATIONS],
  );
  return rows;
}

const numberAll = async (): Promise<number> => {
  let numbered = 0;
  for (let last = 1; last > 0; numbered += last) last = (await leaders[0]?.round()) ?? 0;
  return numbered;
};

const entry = (reason: string): NewEntry => ({
  clientId: CLIENTS[0] ?? '',
  action: 'noted',
  reason,
  actor: { type: 'system', id: 'test' },
});
const noted = async (): Promise<string[]> => {
  const text = `select reason from journal join journal_sequence using (position) where action = 'noted' order by seq`;
  return (await sql.query<{ reason: string }>(text)).rows.map(({ reason }) => reason);
};

describe('two leaders, and writers that wait, write before they wait, roll back and are killed', () => {
  it('leave every committed entry numbered once, without a gap, in the order of its conversation', async () => {
    const conversations = await identities();
    let isOver = false;
    const writing = write(
      await open('writers', WRITERS),
      { writers: WRITERS, seed: 'small', conversations },
      () => isOver,
    );
    // A failed round is retried: its connection was killed.
    const lead = async (leader: JournalNumbering): Promise<void> => {
      while (!isOver) await leader.round().catch(() => undefined);
    };
    const leading = leaders.map(lead);
    const plan = { seed: 'small', kills: KILLS, apart: [20, 80] as [number, number], turns: ['leader%', 'writers'] };
    const killed = await killConnections(sql, plan).finally(() => (isOver = true));
    const [ledger] = await Promise.all([writing, ...leading]);
    await numberAll();
    expect(killed.filter(({ name }) => name !== 'writers')).toHaveLength(KILLS / 2);
    const outcomes = [...ledger.values()].map(({ outcome }) => outcome);
    const count = (which: string): number => outcomes.filter((outcome) => outcome === which).length;
    expect(count('committed')).toBeGreaterThan(200);
    expect(count('rolled back')).toBeGreaterThan(20);
    expect(count('unknown')).toBeGreaterThan(0);
    expect(await auditWriters(sql, ledger)).toEqual([]);
    expect(await auditJournal(sql)).toEqual([]);
  });
});

describe('numbering', () => {
  it('does not wait for an uncommitted entry, which gets its number after the commit', async () => {
    const writers = await open('slow writer', 2);
    await writers.withScope('all', async (slow) => {
      await appendJournal(slow, [entry('early')]);
      await writers.withScope('all', (tx) => appendJournal(tx, [entry('late')]));
      await numberAll();
      expect(await noted()).toEqual(['late']);
    });
    await numberAll();
    expect(await noted()).toEqual(['late', 'early']);
    expect(await auditJournal(sql)).toEqual([]);
  });

  it('is done by one leader at a time, and does not block writers', async () => {
    const [writers, hung] = [await open('writer', 1), await sql.connect()];
    await hung.query("begin; select pg_advisory_xact_lock(hashtextextended('journal numbering', 0))");
    let isDone = false;
    const waiting = numberAll().finally(() => (isDone = true));
    for (const reason of ['one', 'two', 'three'])
      await writers.withScope('all', (tx) => appendJournal(tx, [entry(reason)]));
    expect(isDone).toBe(false);
    expect((await sql.query('select 1 from journal_pending')).rows).toHaveLength(3);
    await hung.query('commit');
    hung.release();
    expect(await waiting).toBe(3);
    expect((await noted()).slice(-3)).toEqual(['one', 'two', 'three']);
  });

  it('takes 1,000 entries at a time, whatever wrote them', async () => {
    await sql.query(`
      insert into journal (id, client_id, action, actor_type)
      select gen_random_uuid(), gen_random_uuid(), 'noted', 'system' from generate_series(1, 2500)`);
    const rounds: (number | undefined)[] = [];
    for (let round = 0; round < 4; round += 1) rounds.push(await leaders[round % 2]?.round());
    expect(rounds).toEqual([1_000, 1_000, 500, 0]);
    expect(await auditJournal(sql)).toEqual([]);
  });

  it('is permanent: even the owner of the tables cannot change or delete entries', async () => {
    for (const table of ['journal', 'journal_listed', 'journal_sequence'])
      for (const statement of [
        `update ${table} set client_id = client_id`,
        `delete from ${table}`,
        `truncate ${table}`,
      ])
        await expect(sql.query(statement), statement).rejects.toThrow('append-only');
  });
});
