// B1: durable webhooks per second, compared with bare SQL inserts of as many bytes.
//
// Ours: POST of a signed 12 KB webhook, 32 connections, 1 % sent twice; 200 only after its transaction is on disk. This includes
// HTTP, the signature, JSON, sealing, the receipt against duplicates, the identity row, and the inbox with its four indexes.
// Theirs: pgbench with 32 connections; each transaction inserts one row of as many bytes into a table with a primary key.
// Fair because both write to the same server with the same durability, alternately and each after a checkpoint, and both send
// the bytes. Advantages of pgbench: it is written in C, parses no HTTP, and updates one index.
// Also measured: the same webhooks sent to a bare `node:http` server that only verifies, parses and inserts the bytes in a group
// commit: the most that a webhook door in Node can reach.
// The worker does not run, since it scales separately. B2 measures both.
import { rounds, type Benchmark, type Run } from './benchmark.js';
import { CREATE, inserter } from './bare/insert.js';
import { callIds } from './documents.js';
import { BARE_DATABASE, Environment, RETELL_KEY, type Account } from './environment.js';
import type { LoadResult } from './load/closed-loop.js';
import type { WebhooksPlan } from './load/webhooks.js';
import { startPart, type Part } from './programs.js';
import { plainFigure, ratioFigure, type Findings } from './results.js';
import { Pool } from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';

const CONNECTIONS = 32;
const TURNS = 40;
const DUPLICATES = 0.01;

type Sender = Part<{ meanBytes: number }, LoadResult>;

interface Setting {
  environment: Environment;
  account: Account;
  door: Part<{ port: number }, null>;
}

async function oneRound({ environment, account, door }: Setting, round: number, count: number) {
  const { meanBytes, ...ours } = await webhooks(environment, account, round, count);
  const { perSecond: theirs, cpuMs: theirsCpuMs } = await inserts(environment, meanBytes, count);
  const bare = await signed({ ...account, port: door.ready.port }, `bare_${round}`, count);
  await environment.checkpoint();
  const { perSecond: doorPerSecond } = await bare.go();
  await bare.stop();
  return { ...ours, theirs, theirsCpuMs, doorPerSecond };
}

/** Starts a process that has signed `count` webhooks and is ready to send them. */
function signed({ port, path }: { port: number; path: string }, round: string, count: number): Promise<Sender> {
  const plan: WebhooksPlan = {
    port,
    connections: CONNECTIONS,
    path,
    apiKey: RETELL_KEY,
    event: 'call_analyzed',
    callIds: callIds(`b1_${round}`, count),
    duplicates: DUPLICATES,
    turns: TURNS,
  };
  return startPart('load/webhooks', plan);
}

async function webhooks(environment: Environment, account: Account, round: number, count: number) {
  const part = await signed({ ...account, port: environment.port }, `ours_${round}`, count);
  try {
    await environment.checkpoint();
    const [syncs, cpu] = [await syncsOf(environment), environment.cpu()];
    const { perSecond, count: sent } = await part.go();
    const after = environment.cpu();
    return {
      ours: perSecond,
      apiMs: (after.api - cpu.api) / sent,
      postgresMs: (after.postgres - cpu.postgres) / sent,
      perSync: sent / ((await syncsOf(environment)) - syncs),
      meanBytes: Math.round(part.ready.meanBytes),
    };
  } finally {
    await part.stop();
  }
}

async function inserts(
  environment: Environment,
  bytes: number,
  count: number,
): Promise<{ perSecond: number; cpuMs: number }> {
  const { insert } = inserter(environment, bytes, CONNECTIONS);
  await environment.checkpoint();
  const cpu = environment.cpu().postgres;
  const { perSecond } = await insert(count);
  return { perSecond, cpuMs: (environment.cpu().postgres - cpu) / count };
}

/** WAL syncs so far. Connections report theirs at most once a second and when they end, so ours are ended first. */
async function syncsOf({ sql }: Environment): Promise<number> {
  await sql.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'colloquy_ingest'");
  await sleep(300);
  const { rows } = await sql.query<{ syncs: string }>(
    "select sum(fsyncs) as syncs from pg_stat_io where object = 'wal'",
  );
  return Number(rows[0]?.syncs);
}

async function measure(run: Run): Promise<Findings> {
  const environment = await Environment.start({ temporal: false, ...run });
  try {
    const bare = new Pool({ connectionString: environment.postgres.url(BARE_DATABASE), max: 1 });
    await bare.query(CREATE);
    await bare.end();
    await environment.startApi();
    const account = await environment.account();
    const count = run.short ? 2_000 : 10_000;
    const url = environment.postgres.url(BARE_DATABASE);
    const door = await startPart<{ port: number }, null>('bare/door', { url, apiKey: RETELL_KEY });
    environment.onClose(door.stop);
    const setting = { environment, account, door };
    const pairs = await rounds(run, (round) => oneRound(setting, round, round === 0 ? count / 4 : count));
    return findings(pairs, inserter(environment, 1, 1).name, count);
  } finally {
    await environment.close();
  }
}

type Round = Awaited<ReturnType<typeof oneRound>>;

const findings = (pairs: Round[], other: string, count: number): Findings => ({
  figures: [
    ratioFigure(`durable signed webhooks ÷ bare inserts (${other})`, pairs, { goal: 0.8 }),
    ratioFigure(
      'durable signed webhooks ÷ bare Node door with group commit',
      pairs.map(({ ours, doorPerSecond }) => ({ ours, theirs: doorPerSecond })),
      { gated: true },
    ),
    ratioFigure(
      `that bare Node door ÷ bare inserts (${other})`,
      pairs.map(({ doorPerSecond, theirs }) => ({ ours: doorPerSecond, theirs })),
    ),
    plainFigure(
      'webhooks made durable by one sync of the WAL',
      'events a sync',
      pairs.map(({ perSync }) => ({ value: perSync })),
      { goal: 16 },
    ),
  ],
  notes: [
    `${count} webhooks of 12 KB a round over ${CONNECTIONS} connections, 1 % of them sent twice; the other side is ${other}, ${CONNECTIONS} connections, as many bytes.`,
    'fsync, synchronous_commit and full_page_writes on, on both sides. The worker does not run.',
  ],
});

export const ingest: Benchmark = { name: 'B1', title: 'Durable webhooks', needsTemporal: false, run: measure };
