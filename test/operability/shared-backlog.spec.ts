// Several workers on one backlog: what they read to find work grows with the work, not with what waits, although all of them begin
// with the oldest facts.
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { newUuid } from '../../src/common/ids.js';
import { createDataSource } from '../../src/database/data-source.js';
import { WorkerDatabase } from '../../src/database/database.js';
import { Candidates, type WaitingCandidate } from '../../src/inbox/candidates.js';
import { lockIdentities, readPending, removeFacts } from '../../src/inbox/pending-facts.js';
import { ClaimCursor } from '../../src/intake/claim-cursor.js';
import { CountingDatabase } from '../support/counting-database.js';
import { createTestDatabases, type TestDatabases } from '../support/databases.js';

const CONVERSATIONS = 6_000;
/** As a lane of intake has them. */
const [LOOPS, CANDIDATES] = [2, 16];
const account = newUuid();

let databases: TestDatabases;
let sql: Pool;
const closers: (() => Promise<void>)[] = [];

// One fact each, spread evenly over the last hour.
const FILL = `
with identities as (
  insert into conversation_identities (id, client_id, provider_account_id, identity_hash, suppression_hash)
  select uuidv7(), $1, $1, int8send(n), int8send(n) from generate_series(1, $2::bigint) as n returning 1
)
insert into inbox (id, provider_account_id, identity_hash, source, kind, hash, received_at, key_day, sealed)
select uuidv7(), $1, int8send(n), 'webhook', 'call_ended', int8send(n), now() - make_interval(secs => 3600.0 * ($2 - n) / $2),
  current_date, '\\x00' from generate_series(1, $2::bigint) as n`;

beforeAll(async () => {
  databases = await createTestDatabases(inject('services').postgresUrl);
  sql = new Pool({ connectionString: databases.databaseUrl, max: 4 });
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  await sql.query('truncate inbox, conversation_identities cascade');
});
afterAll(async () => {
  await sql.end();
  await databases.drop();
});

/** The loops of a worker's lane: they find, lock and remove facts without applying them. */
class Worker {
  applied = 0;
  turns = 0;
  /** Rounds in which other workers had claimed everything. */
  empty = 0;
  private readonly claims: ClaimCursor;

  constructor(
    private readonly database: WorkerDatabase,
    readonly looking: CountingDatabase,
  ) {
    this.claims = new ClaimCursor(new Candidates(looking, 'plain', CANDIDATES), LOOPS);
  }

  static async open(): Promise<Worker> {
    const { DATABASE_URL: url } = databases.settingsOf('worker');
    const source = async () => createDataSource({ url, role: 'colloquy_worker', poolSize: LOOPS }).initialize();
    const [database, looking] = [new WorkerDatabase(await source()), new CountingDatabase(await source(), 'inbox')];
    closers.push(async () => void (await Promise.all([database.close(), looking.close()])));
    return new Worker(database, looking);
  }

  /** Runs until nothing waits any more. */
  async run(): Promise<void> {
    await Promise.all(Array.from({ length: LOOPS }, () => this.loop()));
  }

  private async loop(): Promise<void> {
    while ((await sql.query('select 1 from inbox limit 1')).rows.length > 0) {
      const batch = await this.claims.claim();
      if (batch.length === 0) await sleep(5);
      else await this.turn(batch);
    }
  }

  private async turn(batch: WaitingCandidate[]): Promise<void> {
    const applied = await this.database.withScope('all', async (tx) => {
      const wanted = { lanes: ['plain' as const], limit: 200, opened: [] };
      const [locked, pending] = await Promise.all([lockIdentities(tx, batch, false), readPending(tx, batch, wanted)]);
      const ids = [...locked.keys()].flatMap((place) => (pending.get(place) ?? []).map(({ id }) => id));
      await removeFacts(tx, ids);
      return ids.length;
    });
    this.claims.release(batch, applied);
    this.turns += 1;
    this.applied += applied;
    if (applied === 0) this.empty += 1;
  }
}

/** Runs this many workers until the backlog is empty. */
async function workedOffBy(count: number) {
  await sql.query(FILL, [account, CONVERSATIONS]);
  await sql.query('vacuum analyze inbox, conversation_identities');
  const workers = await Promise.all(Array.from({ length: count }, () => Worker.open()));
  await Promise.all(workers.map((worker) => worker.run()));
  const sum = (of: (worker: Worker) => number): number => workers.reduce((total, worker) => total + of(worker), 0);
  return {
    applied: sum(({ applied }) => applied),
    read: sum(({ looking }) => looking.rows),
    scans: sum(({ looking }) => looking.scans),
    turns: sum(({ turns }) => turns),
    empty: sum(({ empty }) => empty),
  };
}

describe(`a backlog of ${CONVERSATIONS} conversations`, () => {
  it.each([1, 2, 4])('is worked off by %i workers, each of which reads in proportion to its work', async (count) => {
    const { applied, read, scans, turns, empty } = await workedOffBy(count);
    expect([applied, scans]).toEqual([CONVERSATIONS, 0]);
    // A search over 128 facts yields work for 16 conversations, however the workers share it.
    expect(read).toBeLessThan(12 * CONVERSATIONS);
    // They begin at the same place, and meet again where one reaches what another has begun.
    expect(empty).toBeLessThan(turns / 4);
  });
});
