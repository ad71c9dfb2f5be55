// Numbering of the journal while workers, which both write and number, are killed. The small version is
// test/journal/numbering.spec.ts.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Random } from '../../simulators/random.js';
import { createDataSource } from '../../src/database/data-source.js';
import { WorkerDatabase } from '../../src/database/database.js';
import { killConnections } from '../journal/kills.js';
import { auditWriters, write, type WrittenConversation } from '../journal/writers.js';
import { eventually, install, type Installation } from '../support/installation.js';
import { auditJournal } from '../support/journal-audit.js';
import { endPrograms, startWorkerProgram, type Program } from '../support/programs.js';
import { say } from './report.js';

const WRITERS = 16;
const KILLS = 40;
const CALLS = 30;

let colloquy: Installation;
let database: WorkerDatabase;
let workers: Promise<Program>[];

beforeAll(async () => {
  colloquy = await install();
  const options = { role: 'colloquy_worker', poolSize: WRITERS, applicationName: 'writers' } as const;
  const source = createDataSource({ url: colloquy.config.databaseUrl ?? '', ...options });
  database = new WorkerDatabase(await source.initialize());
  workers = [startWorkerProgram(colloquy.env), startWorkerProgram(colloquy.env)];
  await Promise.all(workers);
}, 120_000);
afterAll(async () => {
  await Promise.allSettled(workers);
  endPrograms();
  await database.close();
  await colloquy.close();
});

/** Kills both workers in turn; each is restarted at once, even while the other is being killed. */
async function killWorkers(kills: number): Promise<void> {
  const random = new Random('workers');
  for (let kill = 0; kill < kills; kill += 1) {
    const turn = kill % workers.length;
    const worker = await workers[turn];
    await sleep(random.between(50, 1_000));
    await worker?.end('SIGKILL');
    workers[turn] = startWorkerProgram(colloquy.env);
  }
}

/** Calls about which the workers write entries, in addition to the other writers. */
async function callsUntil(isOver: () => boolean): Promise<void> {
  for (let call = 0; call < CALLS && !isOver(); call += 1) {
    const { call_id: callId } = colloquy.retell.addCall();
    await colloquy.send('call_started', callId);
    colloquy.finish(callId);
    await colloquy.send('call_analyzed', callId);
    await sleep(500);
  }
}

async function conversations(): Promise<WrittenConversation[]> {
  const { rows } = await colloquy.sql.query<WrittenConversation>(
    `insert into conversation_identities (id, client_id, provider_account_id, identity_hash, suppression_hash)
     select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), int4send(n), int4send(n) from generate_series(1, 8) as n
     returning id, client_id`,
  );
  return rows;
}

it('leaves every committed entry numbered once, without a gap, in the order of its conversation', async () => {
  let isOver = false;
  const plan = { writers: WRITERS, seed: 'whole', conversations: await conversations() };
  const writing = write(database, plan, () => isOver);
  const calling = callsUntil(() => isOver);
  const ofWriters = { seed: 'whole', kills: KILLS / 2, apart: [200, 2_000] as [number, number], turns: ['writers'] };
  await Promise.all([killWorkers(KILLS / 2), killConnections(colloquy.sql, ofWriters)]).finally(() => (isOver = true));
  const [ledger] = await Promise.all([writing, calling, ...workers]);
  const pending = async (): Promise<number> => (await colloquy.sql.query('select 1 from journal_pending')).rows.length;
  say(`${ledger.size} transactions, ${KILLS} kills; ${await pending()} entries without a number at the end`);
  await eventually(async () => (await pending()) === 0, 120);
  expect([...ledger.values()].filter(({ outcome }) => outcome === 'unknown').length).toBeGreaterThan(0);
  expect(await auditWriters(colloquy.sql, ledger)).toEqual([]);
  // Calls in progress get entries meanwhile.
  await eventually(async () => (await auditJournal(colloquy.sql)).length === 0).catch(() => undefined);
  expect(await auditJournal(colloquy.sql)).toEqual([]);
}, 600_000);
