// B9: ranges of sealed recordings per second, compared with nginx and a bare Node server that send plain files.
//
// Ours: GET …/audio with a range; the conversation is read under row-level security, the read is journaled (one entry per key,
// recording and five minutes), and the chunks of the range are read, verified, decrypted and sent.
// Theirs: nginx with one worker process, as ours is one process, sends the same range of a plain file of the same size with
// sendfile, which never copies it into the process. tcp_nopush is off: on loopback it would cost nginx 40 ms per response.
// Also measured: `node:http` with a file stream, the most that Node can reach without database and sealing, which CI compares
// with, because nginx may not be installed; and our own services behind `node:http`, without framework, API keys and log
// (bare/content.ts).
// Fair because all files are on the same disk, in the same page cache, and one load generator reads from all servers.
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newUuid, publicId, uuidOf } from '../src/common/ids.js';
import { Random } from '../simulators/random.js';
import { nginxServer, nodeServer, type FileServer } from './bare/nginx.js';
import { rounds, type Benchmark, type Run } from './benchmark.js';
import { callIds, endedCall } from './documents.js';
import { memoryMbOf } from './cpu.js';
import { Environment } from './environment.js';
import { waitForCount, finishedCalls } from './fill.js';
import type { LoadResult } from './load/closed-loop.js';
import type { GetsPlan } from './load/gets.js';
import { runPart, startPart, type Part } from './programs.js';
import { plainFigure, ratioFigure, type Figure, type Findings } from './results.js';

const FILE_BYTES = 5_000_000;
const TURNS = 4;
const KB = 1024;
const MB = 1024 * KB;

interface Case {
  what: string;
  bytes: number;
  connections: number;
  /** Requests per round. */
  count: { full: number; short: number };
}

const CASES: Case[] = [
  { what: '64 kB, 4 connections', bytes: 64 * KB, connections: 4, count: { full: 6_000, short: 800 } },
  { what: '64 kB, 64 connections', bytes: 64 * KB, connections: 64, count: { full: 6_000, short: 800 } },
  { what: '4 MB, 4 connections', bytes: 4 * MB, connections: 4, count: { full: 400, short: 64 } },
  { what: '4 MB, 64 connections', bytes: 4 * MB, connections: 64, count: { full: 400, short: 64 } },
];

interface Setting {
  environment: Environment;
  /** Null if it is not installed. */
  nginx: FileServer | null;
  node: FileServer;
  /** Our services without a framework. */
  content: Part<{ port: number }, null>;
  /** Public ids of conversations; the plain files have the same names. */
  ids: string[];
  isShort: boolean;
}

async function measure(run: Run): Promise<Findings> {
  const environment = await Environment.start({ temporal: true, ...run });
  try {
    const setting = await prepared(environment, run.short);
    const figures: Figure[] = [];
    const memory: number[] = [];
    for (const one of CASES) {
      run.say(one.what);
      const measured = await rounds(run, (round) => oneRound(setting, one, round));
      figures.push(...figuresOf(setting, one, measured));
      memory.push(...measured.map(({ rssMb }) => rssMb));
    }
    figures.push(
      plainFigure(
        'resident memory of the API after each round',
        'MB',
        memory.map((value) => ({ value })),
      ),
    );
    return { figures, notes: notes(setting) };
  } finally {
    await environment.close();
  }
}

async function prepared(environment: Environment, isShort: boolean): Promise<Setting> {
  const audio = randomBytes(FILE_BYTES);
  const stored = await recorded(environment, audio, callIds('b9', isShort ? 20 : 100));
  const folder = join(environment.dir, 'files');
  mkdirSync(folder);
  const ids = stored.map(({ id }) => publicId('conversation', id));
  for (const id of ids) writeFileSync(join(folder, id), audio);
  const [nginx, node] = [await nginxServer(folder), await nodeServer(folder, FILE_BYTES)];
  const content: Setting['content'] = await startPart('bare/content', { env: environment.env() });
  for (const server of [nginx, node, content]) if (server !== null) environment.onClose(server.stop);
  return { environment, nginx, node, content, ids, isShort };
}

/** Creates calls with recordings fetched by their workflows; afterwards only API and Postgres run. */
async function recorded(environment: Environment, recording: Buffer, ids: string[]): Promise<{ id: string }[]> {
  const documents = Object.fromEntries(
    ids.map((callId) => [callId, Buffer.from(JSON.stringify(endedCall({ callId, turns: TURNS })))]),
  );
  const retell = await startPart<{ port: number }, null>('bare/server', { kind: 'documents', documents, recording });
  const base = `http://127.0.0.1:${retell.ready.port}`;
  environment.allow(base);
  await environment.startApi();
  await environment.startWorker();
  const how = { turns: TURNS, recordingUrl: `${base}/audio` };
  const stored = await finishedCalls(environment, await environment.account(base), ids, how);
  await waitForCount(environment, 'select count(*) from recordings', ids.length);
  await waitForCount(environment, "select count(*) from conversations where record_state = 'settled'", ids.length);
  await environment.stopWorker();
  await retell.stop();
  return stored;
}

async function oneRound({ environment, nginx, node, content, ids, isShort }: Setting, one: Case, round: number) {
  const ranges = rangesOf(ids, one, isShort ? one.count.short : one.count.full, `${one.what} ${round}`);
  const { read } = environment.keys;
  const before = environment.cpu();
  const ours = await gets(
    environment.port,
    one,
    ranges.map(({ id, range }) => ({
      path: `/v1/conversations/${id}/audio`,
      headers: { range, authorization: `Bearer ${read}` },
    })),
  );
  const after = environment.cpu();
  const plain = ranges.map(({ id, range }) => ({ path: `/${id}`, headers: { range } }));
  const theirs = nginx === null ? null : await gets(nginx.port, one, plain);
  const bare = await gets(node.port, one, plain);
  const reader = newUuid();
  const opened = await gets(
    content.ready.port,
    one,
    ranges.map(({ id, range }) => ({ path: `/audio/${uuidOf('conversation', id)}/${reader}`, headers: { range } })),
  );
  const megabytes = ({ bytes, ms }: LoadResult): number => bytes / MB / (ms / 1000);
  return {
    ours: megabytes(ours),
    nginx: theirs && megabytes(theirs),
    node: megabytes(bare),
    opened: megabytes(opened),
    perSecond: ours.perSecond,
    apiMs: (after.api - before.api) / ours.count,
    postgresMs: (after.postgres - before.postgres) / ours.count,
    rssMb: memoryMbOf(environment.api?.pid ?? 0).now,
  };
}

type Round = Awaited<ReturnType<typeof oneRound>>;

/** Megabytes per second, compared with nginx, if installed, and with a bare Node server. */
function figuresOf(setting: Setting, { what }: Case, measured: Round[]): Figure[] {
  const toNginx = measured.flatMap(({ ours, nginx, apiMs, postgresMs, perSecond }) =>
    nginx === null ? [] : [{ ours, theirs: nginx, apiMs, postgresMs, perSecond }],
  );
  const limit = measured.flatMap(({ node, nginx }) => (nginx === null ? [] : [{ ours: node, theirs: nginx }]));
  const toNode = measured.map(({ ours, node }) => ({ ours, theirs: node }));
  const name = setting.nginx?.name ?? '';
  return [
    ...(toNginx.length === 0 ? [] : [ratioFigure(`ranges of ${what} ÷ ${name}`, toNginx, { goal: 0.5 })]),
    ratioFigure(`ranges of ${what} ÷ ${setting.node.name}`, toNode, { gated: true }),
    ratioFigure(
      `ranges of ${what} ÷ the same without a framework`,
      measured.map(({ ours, opened }) => ({ ours, theirs: opened })),
    ),
    ...(limit.length === 0 ? [] : [ratioFigure(`${setting.node.name} ÷ ${name}, ${what}`, limit)]),
  ];
}

/** Ranges at random positions of random recordings, as players request them when seeking. */
function rangesOf(ids: string[], { bytes }: Case, count: number, seed: string): { id: string; range: string }[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => {
    const start = random.integer(0, FILE_BYTES - bytes);
    return { id: random.pick(ids), range: `bytes=${start}-${start + bytes - 1}` };
  });
}

const gets = (port: number, { connections }: Case, requests: GetsPlan['requests']): Promise<LoadResult> => {
  const plan: GetsPlan = { port, connections, status: 206, requests };
  return runPart<LoadResult>('load/gets', plan);
};

const notes = ({ ids, nginx, node }: Setting): string[] => [
  `${ids.length} recordings of 5 MB; ranges begin anywhere. Folder driver, everything in the page cache.`,
  `The other sides are ${nginx === null ? 'no nginx (not installed)' : 'nginx, one worker process'}, and ${node.name}, one process.`,
];

export const recordings: Benchmark = { name: 'B9', title: 'Recordings by range', needsTemporal: true, run: measure };
