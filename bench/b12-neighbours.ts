// B12: how much one client is affected by another: the time from the 200 OK of its webhooks until a reader sees them, while
// another client floods the installation, and while the object store hangs on the other client's audio.
//
// The watched client sends 20 `transcript_updated` webhooks a second over 20 live calls; a reader polls each call with GET until
// the new turn is counted. Each round has four phases: alone; while the other client sends finished calls of about 12 KB over 32
// connections as fast as possible; while it sends 20 recordings of 200 KB; the same while the store answers no upload. The
// ratio is the time of the undisturbed phase ÷ that of the disturbed one, so that 1 is best and higher is better: 0.67 means that
// the time grew by a factor of 1.5.
import { randomBytes } from 'node:crypto';
import { publicId } from '../src/common/ids.js';
import { signBody } from '../simulators/elevenlabs/index.js';
import { rounds, type Benchmark, type Run } from './benchmark.js';
import { callIds } from './documents.js';
import { Environment, RETELL_KEY, type Account } from './environment.js';
import { waitForCount, INBOX_DEPTH } from './fill.js';
import { startStore, type HangingStore } from './load/store.js';
import type { VisiblePlan, VisibleResult } from './load/visible.js';
import type { WebhooksPlan } from './load/webhooks.js';
import { runPart, startPart } from './programs.js';
import { ratioFigure, type Findings } from './results.js';

const CALLS = 20;
const PER_SECOND = 20;
const FIRST_TURNS = 10;
const FLOOD_CONNECTIONS = 32;
const AUDIO = { webhooks: 20, bytes: 200 * 1024, secret: 'wsec_bench' };
/** More than any machine can process in a phase. */
const FLOOD_PER_SECOND = 1_500;

interface Size {
  seconds: number;
}

/** Milliseconds from 200 to visible (p50, p99), and for a single GET (`read`), which is included in any case. */
interface Phase {
  p50: number;
  p99: number;
  read: number;
}

const FULL: Size = { seconds: 6 };
const SHORT: Size = { seconds: 3 };

interface Setting {
  environment: Environment;
  store: HangingStore;
  quiet: Account;
  flooding: Account;
  audio: Account;
  size: Size;
  calls: VisiblePlan['calls'];
}

async function measure(run: Run): Promise<Findings> {
  const store = await startStore();
  const environment = await Environment.start({ temporal: false, env: store.env, ...run });
  try {
    await environment.startApi();
    await environment.startWorker();
    const setting = {
      environment,
      store,
      size: run.short ? SHORT : FULL,
      quiet: await environment.account(),
      flooding: await environment.account(),
      audio: await environment.audioAccount(AUDIO.secret),
    };
    const calls = await liveCalls(setting.environment, setting.quiet);
    const measured = await rounds(run, (round) => oneRound({ ...setting, calls }, round));
    return findings(measured, setting.size);
  } finally {
    store.heal();
    await environment.close();
    await store.close();
  }
}

async function liveCalls(environment: Environment, account: Account): Promise<VisiblePlan['calls']> {
  const calls = callIds('b12', CALLS).map((callId) => ({ callId, conversationId: '', turns: FIRST_TURNS }));
  await watched({ environment, quiet: account, calls }, { count: CALLS, connections: 1, watchEvery: 0 });
  await waitForCount(environment, INBOX_DEPTH, 0);
  const { rows } = await environment.sql.query<{ id: string }>('select id from conversation_identities order by id');
  calls.forEach((call, index) => (call.conversationId = publicId('conversation', rows[index]?.id ?? '')));
  return calls;
}

/** Sends the next turns of the watched client's calls. */
async function watched(
  { environment, quiet, calls }: Pick<Setting, 'environment' | 'quiet' | 'calls'>,
  how: Pick<VisiblePlan, 'count' | 'connections' | 'watchEvery' | 'ratePerSecond'>,
): Promise<VisibleResult> {
  const target = { port: environment.port, path: quiet.path, apiKey: RETELL_KEY, readKey: environment.keys.read };
  const result = await runPart<VisibleResult>('load/visible', { ...target, calls, ...how } satisfies VisiblePlan);
  for (const call of calls) call.turns += Math.ceil(how.count / calls.length);
  return result;
}

async function phase(setting: Setting): Promise<Phase> {
  const count = PER_SECOND * setting.size.seconds;
  const { visible, read } = await watched(setting, { count, connections: 8, watchEvery: 1, ratePerSecond: PER_SECOND });
  if (visible === null || read === null) throw new Error('nothing was watched');
  return { p50: visible.p50, p99: visible.p99, read: read.p50 };
}

async function flooded(setting: Setting, round: number): Promise<Phase> {
  const { environment, flooding, size } = setting;
  const flood = await startPart<unknown, unknown>('load/webhooks', {
    port: environment.port,
    connections: FLOOD_CONNECTIONS,
    path: flooding.path,
    apiKey: RETELL_KEY,
    event: 'call_ended',
    callIds: callIds(`flood_${round}`, FLOOD_PER_SECOND * size.seconds),
    duplicates: 0,
    turns: 40,
  } satisfies WebhooksPlan);
  // It is stopped before it has sent everything.
  flood.go().catch(() => undefined);
  try {
    return await phase(setting);
  } finally {
    await flood.stop();
    await waitForCount(environment, INBOX_DEPTH, 0);
  }
}

/** Sends audio of another client's calls, all at once. */
async function sendAudio({ environment, audio }: Setting, name: string): Promise<void> {
  const send = async (index: number): Promise<void> => {
    const data = { conversation_id: `${name}_${index}`, agent_id: 'agent_bench_0002', full_audio: '' };
    data.full_audio = randomBytes(AUDIO.bytes).toString('base64');
    const body = JSON.stringify({ type: 'post_call_audio', event_timestamp: Math.floor(Date.now() / 1000), data });
    const headers = { 'elevenlabs-signature': signBody(body, AUDIO.secret, Date.now()) };
    const answer = await fetch(`http://127.0.0.1:${environment.port}${audio.path}`, { method: 'POST', headers, body });
    if (!answer.ok) throw new Error(`the audio was answered ${answer.status}`);
  };
  await Promise.all(Array.from({ length: AUDIO.webhooks }, (_, index) => send(index)));
}

async function besideAudio(setting: Setting, name: string): Promise<Phase> {
  await sendAudio(setting, name);
  try {
    return await phase(setting);
  } finally {
    setting.store.heal();
    await setting.environment.sql.query('update inbox set retry_at = now() where postponements > 0');
    await waitForCount(setting.environment, INBOX_DEPTH, 0);
  }
}

async function oneRound(setting: Setting, round: number) {
  const alone = await phase(setting);
  const beside = await flooded(setting, round);
  const healthy = await besideAudio(setting, `healthy_${round}`);
  setting.store.hang();
  const hanging = await besideAudio(setting, `hanging_${round}`);
  return { alone, flooded: beside, healthy, hanging };
}

type Round = Awaited<ReturnType<typeof oneRound>>;

function findings(measured: Round[], { seconds }: Size): Findings {
  const compared = (undisturbed: keyof Round, disturbed: keyof Round, share: keyof Phase) =>
    measured.map((round) => {
      const theirs = round[disturbed][share];
      // If the disturbed phase was faster, that was chance.
      return { ours: Math.min(round[undisturbed][share], theirs), theirs };
    });
  return {
    figures: [
      ratioFigure('200 to visible, p50: alone ÷ while another client floods', compared('alone', 'flooded', 'p50'), {
        goal: 0.67,
        gated: true,
      }),
      ratioFigure('the same, p99', compared('alone', 'flooded', 'p99')),
      ratioFigure('one GET of the same reader, p50', compared('alone', 'flooded', 'read')),
      ratioFigure('200 to visible, p50: healthy ÷ while the store hangs', compared('healthy', 'hanging', 'p50'), {
        goal: 0.83,
        gated: true,
      }),
      ratioFigure('the same, p99', compared('healthy', 'hanging', 'p99')),
    ],
    notes: [
      `${PER_SECOND} watched webhooks a second over ${CALLS} live calls, ${seconds} s a phase; the flood comes over ${FLOOD_CONNECTIONS} connections, as fast as it is answered.`,
      'Clients, API, worker and Postgres share the cores: a flood takes them from the watched client as well, whatever the order in which facts are applied.',
    ],
  };
}

export const neighbours: Benchmark = {
  name: 'B12',
  title: 'One client beside another',
  needsTemporal: false,
  run: measure,
};
