// B3: conversations completed per second, compared with the same workflows without our work in them.
//
// Ours: finished calls arrive as webhooks while the worker runs. Each is stored and applied; its workflow fetches the record and
// the recording (64 kB) from Retell, seals and stores it, and ends. Measured from the first webhook until the last workflow has
// completed and every conversation is settled.
// Theirs: the same workflow code, and so the same history, with activities that return at once, started by a process that does
// nothing else: same server with its database on disk, same worker settings, same eager start.
// Fair because Temporal does the same work on both sides, and both count completed workflows in the same way: five times a
// second, since counting slows the server down. If a recording ends after its record, ours has one more workflow task (27
// events instead of 24).
// Also measured: workflows that do nothing, five events each, as in Temporal's own benchmarks.
import { Client, Connection } from '@temporalio/client';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMsOf } from './cpu.js';
import { rounds, type Benchmark, type Run } from './benchmark.js';
import { callIds, endedCall } from './documents.js';
import { BARE_NAMESPACE, Environment, RETELL_KEY, type Account } from './environment.js';
import { waitForCount } from './fill.js';
import type { LoadResult } from './load/closed-loop.js';
import type { WebhooksPlan } from './load/webhooks.js';
import { startPart } from './programs.js';
import { ratioFigure, type Findings } from './results.js';
import type { BareWorkflowsPlan } from './temporal/bare-worker.js';

const CONNECTIONS = 32;
const TURNS = 40;
const RECORDING_BYTES = 64 * 1024;
const POLL_MS = 200;
const WAIT_MS = 300_000;
const OURS = 'default';

interface Setting {
  environment: Environment;
  account: Account;
  client: Client;
  count: number;
  /** Call ids, by round. */
  ids: string[][];
  audioUrl: string;
}

async function measure(run: Run): Promise<Findings> {
  const environment = await Environment.start({ temporal: true, ...run });
  try {
    const setting = await prepared(environment, run);
    const measured = await rounds(run, (round) => oneRound(setting, round, !run.short));
    return findings(measured, setting.count);
  } finally {
    await environment.close();
  }
}

async function prepared(environment: Environment, run: Run): Promise<Setting> {
  const count = run.short ? 100 : 300;
  const ids = Array.from({ length: run.pairs + 1 }, (_, round) => callIds(`b3_${round}`, count));
  const retell = await startPart<{ port: number }, null>('bare/server', {
    kind: 'documents',
    ...retellContent(ids.flat()),
  });
  environment.onClose(retell.stop);
  const base = `http://127.0.0.1:${retell.ready.port}`;
  environment.allow(base);
  await environment.startApi();
  await environment.startWorker();
  const connection = await Connection.connect({ address: environment.temporal?.address ?? '' });
  environment.onClose(() => connection.close());
  const account = await environment.account(base);
  return { environment, account, client: new Client({ connection }), count, ids, audioUrl: `${base}/audio` };
}

/** What the simulated Retell serves: the record of every call, and one recording for all. */
function retellContent(ids: string[]): { documents: Record<string, Buffer>; recording: Buffer } {
  const documents = ids.map(
    (callId) => [callId, Buffer.from(JSON.stringify(endedCall({ callId, turns: TURNS })))] as const,
  );
  return { documents: Object.fromEntries(documents), recording: randomBytes(RECORDING_BYTES) };
}

async function oneRound(setting: Setting, round: number, withEmpty: boolean) {
  const ours = await conversations(setting, round);
  const theirs = await bare(setting, 'same history');
  const empty = withEmpty ? await bare(setting, 'empty') : undefined;
  const { workerMs: theirWorkerMs, temporalMs: theirTemporalMs } = theirs;
  const side = { theirs: theirs.perSecond, theirWorkerMs, theirTemporalMs };
  return { ...ours, ...side, ...(empty !== undefined && { empty: empty.perSecond }) };
}

async function conversations({ environment, account, client, ids, count, audioUrl }: Setting, round: number) {
  const plan: WebhooksPlan = {
    port: environment.port,
    connections: CONNECTIONS,
    path: account.path,
    apiKey: RETELL_KEY,
    event: 'call_analyzed',
    callIds: ids[round] ?? [],
    duplicates: 0,
    turns: TURNS,
    recordingUrl: audioUrl,
  };
  const part = await startPart<unknown, LoadResult>('load/webhooks', plan);
  await environment.checkpoint();
  const [before, cpu, from] = [await completed(client, OURS), environment.cpu(), performance.now()];
  await part.go();
  await reached(client, OURS, before + count);
  const seconds = (performance.now() - from) / 1000;
  const after = environment.cpu();
  await part.stop();
  await waitForCount(
    environment,
    "select count(*) from conversations where record_state = 'settled'",
    (round + 1) * count,
  );
  const each = (name: keyof typeof cpu): number => (after[name] - cpu[name]) / count;
  return {
    ours: count / seconds,
    apiMs: each('api'),
    workerMs: each('worker'),
    postgresMs: each('postgres'),
    temporalMs: each('temporal'),
  };
}

interface Bare {
  perSecond: number;
  /** CPU milliseconds per workflow. */
  workerMs: number;
  temporalMs: number;
}

async function bare({ environment, client, count }: Setting, kind: BareWorkflowsPlan['kind']): Promise<Bare> {
  const plan: BareWorkflowsPlan = {
    address: environment.temporal?.address ?? '',
    namespace: BARE_NAMESPACE,
    kind,
    count,
  };
  const part = await startPart<null, void>('temporal/bare-worker', plan);
  try {
    const cpu = (): [number, number] => [cpuMsOf([part.pid]), environment.cpu().temporal];
    const [before, [worker, temporal], from] = [await completed(client, BARE_NAMESPACE), cpu(), performance.now()];
    await part.go();
    await reached(client, BARE_NAMESPACE, before + count);
    const perSecond = (count * 1000) / (performance.now() - from);
    const [workerAfter, temporalAfter] = cpu();
    return { perSecond, workerMs: (workerAfter - worker) / count, temporalMs: (temporalAfter - temporal) / count };
  } finally {
    await part.stop();
  }
}

async function completed({ workflowService }: Client, namespace: string): Promise<number> {
  const query = "ExecutionStatus = 'Completed'";
  const { count } = await workflowService.countWorkflowExecutions({ namespace, query });
  return Number(count);
}

async function reached(client: Client, namespace: string, wanted: number): Promise<void> {
  for (const until = Date.now() + WAIT_MS; (await completed(client, namespace)) < wanted; await sleep(POLL_MS)) {
    if (Date.now() > until) throw new Error('the workflows did not complete in time');
  }
}

type Round = Awaited<ReturnType<typeof oneRound>>;

function findings(measured: Round[], count: number): Findings {
  const withEmpty = measured.flatMap(({ ours, empty }) => (empty === undefined ? [] : [{ ours, theirs: empty }]));
  return {
    figures: [
      ratioFigure('conversations completed ÷ workflows of the same history with empty activities', measured, {
        goal: 0.7,
        gated: true,
      }),
      ...(withEmpty.length === 0 ? [] : [ratioFigure('conversations completed ÷ empty workflows', withEmpty)]),
    ],
    notes: [
      `${count} calls a round: one webhook of 12 KB each over ${CONNECTIONS} connections, record and 64 kB recording fetched from a bare server that plays Retell on the same machine.`,
      "Temporal's development server with its SQLite file on disk (journal_mode=WAL, synchronous=FULL) for both sides.",
    ],
  };
}

export const lifecycle: Benchmark = { name: 'B3', title: 'Conversations completed', needsTemporal: true, run: measure };
