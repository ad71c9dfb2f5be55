// The gauges over what waits, while something does: Temporal is down, a fact cannot be decrypted, and the conversation of another
// one is locked.
import type { PoolClient } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../src/embedded/ports.js';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';
import { valueOf } from '../support/metrics.js';
import { endPrograms, startWorkerProgram } from '../support/programs.js';
import { openTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';

const HOUR_MS = 3_600_000;

let colloquy: Installation;
let toPostgres: TcpProxy;
let writer: PoolClient;
let leader: PoolClient;
let url: string;
let metrics: string;

beforeAll(async () => {
  colloquy = await install({ temporal: { address: `127.0.0.1:${await freePort()}`, namespace: 'default' } });
  await numberingElsewhere();
  await heldFact();
  await factThatDoesNotOpen();
  const { call_id: settling } = colloquy.retell.addCompleteCall(
    { end_timestamp: Date.now() - 48 * HOUR_MS },
    'settling',
  );
  await colloquy.send('call_analyzed', settling);
  url = await startWatchedWorker();
  await colloquy.call(settling, ({ record_state }) => record_state === 'settling');
  await eventually(async () => {
    await colloquy.sql.query('update inbox set retry_at = now() where retry_at > now()');
    return (await colloquy.sql.query("select 1 from inbox where state = 'parked'")).rows.length === 1;
  });
  await colloquy.sql.query("update workflow_commands set created_at = created_at - interval '10 minutes'");
  await colloquy.sql.query(`
    insert into workflow_commands (workflow, entity_id, kind, created_at, attempts, error, parked_at)
    select 'conversation', gen_random_uuid(), 'late', now() - interval '1 day', 10, 'invalid_argument', now()`);
  // What was read at first is cached for 10 s.
  metrics = await scrape();
}, 60_000);
afterAll(async () => {
  endPrograms();
  for (const client of [writer, leader]) client.release(true);
  await toPostgres.close();
  await colloquy.close();
});

/** Arrived 90 s ago, for a conversation that stays locked as if somebody were writing to it. */
async function heldFact(): Promise<void> {
  await colloquy.send('call_started', colloquy.retell.addCall({}, 'held').call_id);
  await colloquy.sql.query("update inbox set received_at = now() - interval '90 seconds'");
  writer = await colloquy.sql.connect();
  await writer.query('begin');
  await writer.query('select 1 from conversation_identities for no key update');
}

/** Another worker holds the lock for numbering the journal. */
async function numberingElsewhere(): Promise<void> {
  leader = await colloquy.sql.connect();
  await leader.query("select pg_advisory_lock(hashtextextended('journal numbering', 0))");
}

/** The end of a call that began two hours ago. */
async function factThatDoesNotOpen(): Promise<void> {
  const { call_id: callId } = colloquy.retell.addCall({ start_timestamp: Date.now() - 2 * HOUR_MS }, 'does not open');
  await colloquy.send('call_started', callId);
  colloquy.finish(callId);
  await colloquy.send('call_ended', callId);
  await colloquy.sql.query(
    "update inbox set sealed = set_byte(sealed, 0, 255 - get_byte(sealed, 0)) where kind = 'call_ended'",
  );
}

/** A worker whose connection to PostgreSQL can be stopped; resolves with the URL of its metrics. */
async function startWatchedWorker(): Promise<string> {
  const database = new URL(colloquy.config.databaseUrl ?? '');
  toPostgres = await openTcpProxy(database.host);
  database.host = toPostgres.address;
  const settings = { DATABASE_URL: database.toString(), COLLOQUY_WORKER_METRICS_PORT: '0' };
  const worker = await startWorkerProgram({ ...colloquy.env, ...settings });
  return `http://127.0.0.1:${/"metrics_port":(\d+)/.exec(worker.said())?.[1]}/metrics`;
}

/** Like Prometheus: a response that takes 10 s is none. */
const scrape = async (): Promise<string> => (await fetch(url, { signal: AbortSignal.timeout(10_000) })).text();

describe('the gauges', () => {
  it('show the inbox: how long the oldest fact has waited, how many wait, how many are parked', () => {
    expect(valueOf(metrics, 'colloquy_ingest_lag_seconds')).toBeGreaterThan(90);
    expect(valueOf(metrics, 'colloquy_ingest_lag_seconds')).toBeLessThan(200);
    expect(valueOf(metrics, 'colloquy_inbox_facts{state="pending"}')).toBe(1);
    expect(valueOf(metrics, 'colloquy_inbox_facts{state="parked"}')).toBe(1);
    expect(valueOf(metrics, 'colloquy_facts_parked_total{provider="retell",reason="open_failed"}')).toBe(1);
  });

  it('show conversations that are not settled, by age', () => {
    const unsettled = (state: string, age: string): number =>
      valueOf(metrics, `colloquy_conversations_unsettled{record_state="${state}",age="${age}"}`);
    expect(['15m', '1h', '1d', '7d', 'older'].map((age) => unsettled('settling', age))).toEqual([0, 0, 0, 1, 0]);
    expect(['15m', '1h', '1d', '7d', 'older'].map((age) => unsettled('open', age))).toEqual([0, 0, 1, 0, 0]);
  });

  it('show workflow commands that have not reached Temporal, and parked ones', async () => {
    const { rows } = await colloquy.sql.query('select 1 from workflow_commands where parked_at is null');
    expect(rows.length).toBeGreaterThan(1);
    expect(valueOf(metrics, 'colloquy_workflow_commands_waiting')).toBe(rows.length);
    expect(valueOf(metrics, 'colloquy_workflow_commands_oldest_seconds')).toBeGreaterThan(600);
    expect(valueOf(metrics, 'colloquy_workflow_commands_oldest_seconds')).toBeLessThan(700);
    expect(valueOf(metrics, 'colloquy_workflow_commands_parked')).toBe(1);
  });

  it('show journal entries that are not numbered yet', async () => {
    const { rows } = await colloquy.sql.query('select 1 from journal');
    expect(rows.length).toBeGreaterThan(1);
    expect(valueOf(metrics, 'colloquy_journal_pending')).toBe(rows.length);
    expect(valueOf(metrics, 'colloquy_journal_pending_oldest_seconds')).toBeGreaterThan(0);
    expect(valueOf(metrics, 'colloquy_journal_pending_oldest_seconds')).toBeLessThan(60);
  });

  it('are absent while PostgreSQL hangs, and say so', async () => {
    expect(valueOf(metrics, 'colloquy_backlog_readable')).toBe(1);
    toPostgres.hang();
    const text = await eventually(async () => {
      const scraped = await scrape();
      return valueOf(scraped, 'colloquy_backlog_readable') === 0 && scraped;
    });
    expect(text).not.toMatch(
      /^colloquy_(inbox_facts|ingest_lag_seconds|workflow_commands_(waiting|oldest_seconds|parked)|conversations_unsettled)[{ ]/m,
    );
    expect(text).toContain('process_resident_memory_bytes');
  });
});
