// B2: the time from the 200 OK of a webhook until a reader sees its content.
//
// Live calls grow by `transcript_updated` webhooks of about 12 KB, sent at a fixed rate: half of what the installation sustains
// (measured in the same round: the next turn of every call over 32 connections, until the last one is applied). API, worker,
// Temporal and Postgres all run, and every call has its workflow. A reader polls the conversation with GET until the new turn is
// counted; the time runs from the 200 to the end of the response that shows it.
// There is no other side to compare with: the figure is milliseconds, reported with fdatasync and the webhook's own latency.
import { publicId } from '../src/common/ids.js';
import { rounds, type Benchmark, type Run } from './benchmark.js';
import { callIds } from './documents.js';
import { Environment, RETELL_KEY, type Account } from './environment.js';
import { waitForCount, INBOX_DEPTH } from './fill.js';
import type { VisiblePlan, VisibleResult } from './load/visible.js';
import { startPart } from './programs.js';
import { plainFigure, ratioFigure, type Findings } from './results.js';

const CONNECTIONS = 32;
const FIRST_TURNS = 38;

/** Webhooks per second that are watched. */
const WATCHED = 40;

interface Size {
  calls: number;
  /** Each with one webhook per call, to find the full load. */
  bursts: number;
  seconds: number;
}

const FULL: Size = { calls: 200, bursts: 3, seconds: 10 };
const SHORT: Size = { calls: 100, bursts: 2, seconds: 5 };

interface Setting {
  environment: Environment;
  account: Account;
  size: Size;
  calls: VisiblePlan['calls'];
}

async function measure(run: Run): Promise<Findings> {
  const environment = await Environment.start({ temporal: true, ...run });
  try {
    await environment.startApi();
    await environment.startWorker();
    const account = await environment.account();
    const size = run.short ? SHORT : FULL;
    const measured = await rounds(run, async (round) => oneRound(await prepared(environment, account, size, round)));
    return findings(measured, size);
  } finally {
    await environment.close();
  }
}

/** Each round has new calls: transcripts grow while they are measured, and later rounds must not have longer ones. */
async function prepared(environment: Environment, account: Account, size: Size, round: number): Promise<Setting> {
  const calls = callIds(`b2_${round}`, size.calls).map((callId) => ({
    callId,
    conversationId: '',
    turns: FIRST_TURNS,
  }));
  const setting = { environment, account, size, calls };
  // One at a time, so that conversations are created in the order of their calls.
  await send(setting, { count: size.calls, connections: 1, watchEvery: 0 });
  await waitForCount(environment, 'select count(*) from conversations', size.calls * (round + 1));
  await waitForCount(environment, 'select count(*) from workflow_commands', 0);
  const { rows } = await environment.sql.query<{ id: string }>(
    'select id from conversation_identities order by id offset $1',
    [size.calls * round],
  );
  setting.calls.forEach((call, index) => (call.conversationId = publicId('conversation', rows[index]?.id ?? '')));
  return setting;
}

/** Sends the next turn of each call; resolves once all are applied. `appliedMs`: milliseconds until then. */
async function send(
  { environment, account, calls }: Setting,
  how: Pick<VisiblePlan, 'count' | 'connections' | 'watchEvery' | 'ratePerSecond'>,
): Promise<VisibleResult & { appliedMs: number }> {
  const target = { port: environment.port, path: account.path, apiKey: RETELL_KEY, readKey: environment.keys.read };
  const part = await startPart<null, VisibleResult>('load/visible', { ...target, calls, ...how } satisfies VisiblePlan);
  try {
    const from = performance.now();
    const result = await part.go();
    await waitForCount(environment, INBOX_DEPTH, 0);
    for (const call of calls) call.turns += Math.ceil(how.count / calls.length);
    return { ...result, appliedMs: performance.now() - from };
  } finally {
    await part.stop();
  }
}

/** Webhooks per second that API and worker sustain if each is for another call, so that they are applied in batches. */
async function sustained(setting: Setting): Promise<number> {
  const { calls, bursts } = setting.size;
  let [sent, tookMs] = [0, 0];
  for (let burst = 0; burst < bursts; burst += 1) {
    const { appliedMs } = await send(setting, { count: calls, connections: CONNECTIONS, watchEvery: 0 });
    [sent, tookMs] = [sent + calls, tookMs + appliedMs];
  }
  return (sent * 1000) / tookMs;
}

async function oneRound(setting: Setting) {
  const fullLoad = await sustained(setting);
  const ratePerSecond = fullLoad / 2;
  const watchEvery = Math.max(1, Math.round(ratePerSecond / WATCHED));
  const count = Math.round(ratePerSecond * setting.size.seconds);
  const { post, visible } = await send(setting, { count, connections: CONNECTIONS, watchEvery, ratePerSecond });
  if (visible === null) throw new Error('nothing was watched');
  const { count: watched, p50, p99 } = visible;
  return { p50, p99, watched, postP50: post.p50, postP99: post.p99, fullLoad };
}

type Round = Awaited<ReturnType<typeof oneRound>>;

const findings = (measured: Round[], { calls, seconds }: Size): Findings => ({
  figures: [
    plainFigure(
      'from 200 OK to visible in GET, p99 at half load',
      'ms',
      measured.map((round) => ({ value: round.p99, ...round })),
      { goal: 25 },
    ),
    plainFigure(
      'from 200 OK to visible in GET, p50 at half load',
      'ms',
      measured.map(({ p50 }) => ({ value: p50 })),
    ),
    ratioFigure(
      'p50 of the webhook itself ÷ p50 until visible',
      measured.map(({ postP50, p50 }) => ({ ours: postP50, theirs: p50 })),
      { gated: true },
    ),
    plainFigure(
      'webhooks applied in a second by one worker, full load',
      'a second',
      measured.map(({ fullLoad }) => ({ value: fullLoad })),
    ),
  ],
  notes: [
    `${calls} live calls, ${seconds} s a round at half of the rate that one API and one worker sustain together; about ${WATCHED} turns a second are watched.`,
    'There is no stream yet; it is added to this benchmark with the stream itself.',
  ],
});

export const visible: Benchmark = { name: 'B2', title: 'From webhook to reader', needsTemporal: true, run: measure };
