// SIGTERM to a worker whose servers answer late or not at all.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';
import { endPrograms, startWorkerProgram, type Program } from '../support/programs.js';
import { openTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';

const ACCOUNTS = 5;
const COMMANDS = 6;

let colloquy: Installation;
let toTemporal: TcpProxy;
let toPostgres: TcpProxy;
let env: Record<string, string>;

beforeAll(async () => {
  colloquy = await install();
  for (let count = 1; count < ACCOUNTS; count += 1)
    await colloquy.addAccount({ provider: 'retell', api_key: 'key_test', base_url: colloquy.retell.baseUrl });
  // Backfills that last as long as the provider's Retry-After.
  colloquy.retell.faults.errors = { share: 1, statuses: [429] };
  colloquy.retell.faults.retryAfterSeconds = 3_600;
  await colloquy.sql.query(`
    insert into backfills (provider_account_id, client_id, range_from, range_to, window_to)
    select id, client_id, now() - interval '1 day', now(), now() from provider_accounts`);
  await colloquy.send('call_started', colloquy.retell.addCall().call_id);
});
beforeEach(async () => {
  const database = new URL(colloquy.config.databaseUrl ?? '');
  [toTemporal, toPostgres] = await Promise.all([
    openTcpProxy(inject('services').temporalAddress),
    openTcpProxy(database.host),
  ]);
  database.host = toPostgres.address;
  env = { ...colloquy.env, TEMPORAL_ADDRESS: toTemporal.address, DATABASE_URL: database.toString() };
});
afterEach(async () => {
  endPrograms();
  await Promise.all([toTemporal.close(), toPostgres.close()]);
  await colloquy.sql.query('truncate workflow_commands');
});
afterAll(() => colloquy.close());

/** A worker that has delivered all commands so far. */
async function startWorker(): Promise<Program> {
  const worker = await startWorkerProgram(env);
  await worker.says('everything that has work has its workflow');
  await eventually(async () => (await waiting('conversation')) + (await waiting('reconciliation')) === 0);
  return worker;
}

const waiting = async (workflow: string): Promise<number> =>
  (await colloquy.sql.query('select 1 from workflow_commands where workflow = $1', [workflow])).rows.length;

const claimed = async (): Promise<number> =>
  (await colloquy.sql.query('select 1 from workflow_commands where leased_until > now()')).rows.length;

/** Adds a command for every account and several for one conversation; resolves when the relay has begun. */
async function muchToTell(): Promise<void> {
  await colloquy.sql.query(
    `insert into workflow_commands (workflow, entity_id, kind)
     select 'conversation', id, 'started' from conversations, generate_series(1, $1)
     union all select 'reconciliation', id, 'asked' from provider_accounts`,
    [COMMANDS],
  );
  await eventually(async () => (await claimed()) === COMMANDS + ACCOUNTS);
  // Rows are claimed a moment before Temporal is called; a stop in between would rightly deliver nothing.
  await sleep(300);
}

describe('a worker that is told to stop', () => {
  it('delivers no more than it has begun to a slow Temporal, and exits 0 within 10 s', async () => {
    const worker = await startWorker();
    toTemporal.slow(2_000);
    await muchToTell();
    const { code, tookMs } = await worker.end('SIGTERM');
    expect([code, tookMs < 10_000]).toEqual([0, true]);
    expect(worker.said()).toContain('"worker stopped"');
    const left = await waiting('conversation');
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(COMMANDS);
    // All of them had begun, side by side.
    expect(await waiting('reconciliation')).toBe(0);
  }, 60_000);

  it('exits 0 within 10 s if Temporal hangs during calls for several accounts', async () => {
    const worker = await startWorker();
    toTemporal.hang();
    await muchToTell();
    const { code, tookMs } = await worker.end('SIGTERM');
    expect([code, tookMs < 10_000]).toEqual([0, true]);
    expect([await waiting('conversation'), await waiting('reconciliation')]).toEqual([COMMANDS, ACCOUNTS]);
    // They are free for the next worker.
    expect(await claimed()).toBe(0);
  }, 60_000);

  it('ends once and in order, even if it is told twice, as by a Ctrl-C under npm', async () => {
    const worker = await startWorker();
    const first = worker.end('SIGINT');
    await worker.says('"worker stopping"');
    const { code } = await worker.end('SIGINT');
    expect([code, (await first).code]).toEqual([0, 0]);
    expect(worker.said().match(/"worker stopp(ing|ed)"/g)).toEqual(['"worker stopping"', '"worker stopped"']);
  });

  it('exits 0 within 10 s if PostgreSQL hangs', async () => {
    const worker = await startWorker();
    toPostgres.hang();
    const { code, tookMs } = await worker.end('SIGTERM');
    expect([code, tookMs < 10_000]).toEqual([0, true]);
    // At once or within a hanging statement: a silent connection is given up only after 10 s.
    expect(worker.said()).toContain('worker stopped');
  }, 60_000);
});
