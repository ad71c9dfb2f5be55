// B6: transcript reads per second, compared with bare fetches of the stored block.
//
// Ours: GET …/transcript of 40 turns, 16 connections. The API key is checked, the conversation and its identity row are read
// under row-level security, the read is journaled, the block is opened, decompressed and sent as JSON.
// Theirs: `node:http` and `pg` fetch the same sealed block with the same SQL and send it unopened.
// Fair because both use HTTP and one query on the same server; the other side sends a quarter of the bytes.
// Also measured: our own services behind `node:http`, without framework, API keys and log (bare/content.ts), which do the same
// work: row-level security, journal, keys, opening the block.
// "First reads": this key has not read these conversations before, so each read is journaled on disk before its first byte.
// "Again": the same key reads them again within five minutes, without another journal entry.
import { newUuid, publicId } from '../src/common/ids.js';
import { Random } from '../simulators/random.js';
import { rounds, type Benchmark, type Run } from './benchmark.js';
import { callIds } from './documents.js';
import { Environment } from './environment.js';
import { finishedCalls } from './fill.js';
import type { LoadResult } from './load/closed-loop.js';
import type { GetsPlan } from './load/gets.js';
import { runPart, startPart, type Part } from './programs.js';
import { ratioFigure, type Findings } from './results.js';

const CONNECTIONS = 16;
const TURNS = 40;
const POOL_SIZE = 10;
const SQL = 'select sealed from transcripts where conversation_id = $1 and client_id = $2';

interface Stored {
  id: string;
  client_id: string;
}

type Server = Part<{ port: number }, null>;

interface Servers {
  /** Sends the sealed block. */
  block: Server;
  /** Opens it, without a framework. */
  content: Server;
}

async function measure(run: Run): Promise<Findings> {
  const environment = await Environment.start({ temporal: false, ...run });
  try {
    await environment.startApi();
    await environment.startWorker();
    const account = await environment.account();
    const stored = await finishedCalls(environment, account, callIds('b6', run.short ? 1_500 : 5_000), {
      turns: TURNS,
    });
    await environment.stopWorker();
    await environment.sql.query('vacuum analyze');
    const plan = { kind: 'block', url: environment.postgres.url('colloquy'), sql: SQL, poolSize: POOL_SIZE };
    const servers: Servers = {
      block: await startPart('bare/server', plan),
      content: await startPart('bare/content', { env: environment.env() }),
    };
    for (const { stop } of Object.values(servers) as Server[]) environment.onClose(stop);
    const measured = await rounds(run, (round) => oneRound(environment, servers, shuffled(stored, round)));
    return findings(measured, stored.length);
  } finally {
    await environment.close();
  }
}

async function oneRound(environment: Environment, { block, content }: Servers, stored: Stored[]) {
  const { secret } = await environment.call<{ secret: string }>('POST', '/v1/api-keys', {
    name: 'Reader',
    role: 'supervisor',
    client_ids: '*',
  });
  const ours = (): Promise<LoadResult> =>
    gets(
      environment.port,
      stored.map(({ id }) => transcriptOf(id, secret)),
    );
  const before = environment.cpu();
  const first = await ours();
  const after = environment.cpu();
  const theirs = await gets(
    block.ready.port,
    stored.map(({ id, client_id }) => ({ path: `/${id}/${client_id}` })),
  );
  const reader = newUuid();
  const opened = await gets(
    content.ready.port,
    stored.map(({ id }) => ({ path: `/transcript/${id}/${reader}` })),
  );
  const again = await ours();
  return {
    first: first.perSecond,
    again: again.perSecond,
    theirs: theirs.perSecond,
    opened: opened.perSecond,
    apiMs: (after.api - before.api) / stored.length,
    postgresMs: (after.postgres - before.postgres) / stored.length,
    oursKb: first.bytes / stored.length / 1024,
    theirsKb: theirs.bytes / stored.length / 1024,
  };
}

const transcriptOf = (id: string, secret: string): GetsPlan['requests'][number] => ({
  path: `/v1/conversations/${publicId('conversation', id)}/transcript`,
  headers: { authorization: `Bearer ${secret}` },
});

const gets = (port: number, requests: GetsPlan['requests']): Promise<LoadResult> => {
  const plan: GetsPlan = { port, connections: CONNECTIONS, status: 200, requests };
  return runPart<LoadResult>('load/gets', plan);
};

/** Another order each round, so that caches cannot profit from it. */
function shuffled(stored: Stored[], round: number): Stored[] {
  const random = new Random(`b6 ${round}`);
  return stored
    .map((one) => ({ one, rank: random.next() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ one }) => one);
}

type Round = Awaited<ReturnType<typeof oneRound>>;

const findings = (measured: Round[], count: number): Findings => ({
  figures: [
    ratioFigure(
      'first reads of transcripts ÷ bare fetches of the block',
      measured.map(({ first, ...rest }) => ({ ours: first, ...rest })),
      { goal: 0.6, gated: true },
    ),
    ratioFigure(
      'first reads of transcripts ÷ the same reads without a framework',
      measured.map(({ first, opened }) => ({ ours: first, theirs: opened })),
      { gated: true },
    ),
    ratioFigure(
      'reads without a framework ÷ bare fetches of the block',
      measured.map(({ opened, theirs }) => ({ ours: opened, theirs })),
    ),
    ratioFigure(
      'the same reads again ÷ bare fetches of the block',
      measured.map(({ again, theirs }) => ({ ours: again, theirs })),
    ),
  ],
  notes: [
    `${count} conversations of ${TURNS} turns, each read once a round in random order over ${CONNECTIONS} connections; more than the 1,000 keys that the API keeps unwrapped.`,
    `The other side has ${POOL_SIZE} database connections and a named statement.`,
  ],
});

export const transcripts: Benchmark = { name: 'B6', title: 'Transcript reads', needsTemporal: false, run: measure };
