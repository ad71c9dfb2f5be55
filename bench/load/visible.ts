// A load generator process that plays Retell during live calls, and a reader: transcripts grow by webhooks, and for some of
// them it polls the conversation with GET until the new turn is visible.
import { setTimeout as sleep } from 'node:timers/promises';
import { signBody } from '../../simulators/retell/index.js';
import { liveCall, webhookOf } from '../documents.js';
import { servePart } from '../part.js';
import { percentile } from '../statistics.js';
import { getRequest, HttpConnection, postRequest } from './http-connection.js';

export interface VisiblePlan {
  port: number;
  connections: number;
  path: string;
  apiKey: string;
  /** Secret of the reader's API key. */
  readKey: string;
  calls: { callId: string; conversationId: string; turns: number }[];
  /** Webhooks to send, round-robin over the calls, each with one more turn. */
  count: number;
  /** Send at this rate, independent of responses; undefined: as fast as the connections allow. */
  ratePerSecond?: number;
  /** Every n-th webhook is watched until it is visible; 0: none. */
  watchEvery: number;
}

export interface VisibleResult {
  ms: number;
  /** Milliseconds from the time that a webhook was due to its 200. */
  post: { p50: number; p99: number };
  /** Milliseconds from the 200 to the response that shows the turn; null if nothing was watched. */
  visible: { p50: number; p99: number; count: number } | null;
  /** Milliseconds for a single GET. */
  read: { p50: number } | null;
}

interface Message {
  bytes: Buffer;
  path: string;
  turns: number;
}

function messagesOf({ calls, count, path, apiKey }: VisiblePlan): Message[] {
  return Array.from({ length: count }, (_, index) => {
    const call = calls[index % calls.length];
    if (call === undefined) throw new RangeError('no calls');
    const turns = call.turns + 1 + Math.floor(index / calls.length);
    const body = webhookOf('transcript_updated', liveCall({ callId: call.callId, turns }));
    const signature = { 'x-retell-signature': signBody(body, apiKey, Date.now()) };
    const bytes = postRequest(path, signature, Buffer.from(body));
    return { bytes, path: `/v1/conversations/${call.conversationId}`, turns };
  });
}

const WATCH_MS = 10_000;
/** Initial connections for watching; more are opened when needed. */
const WATCHERS = 16;
/** Pause between two GETs for one turn, since they are load as well. */
const POLL_MS = 2;

/** Polls until the conversation has `turns` turns; resolves with the milliseconds since `from`. */
async function watch(
  connection: HttpConnection,
  { path, turns }: Message,
  { readKey, from, reads }: { readKey: string; from: number; reads: number[] },
): Promise<number> {
  const request = getRequest(path, { authorization: `Bearer ${readKey}` });
  for (;;) {
    const asked = performance.now();
    const { status, body } = await connection.request(request, { keepBody: true });
    reads.push(performance.now() - asked);
    if (status !== 200) throw new Error(`GET answered ${status}`);
    const took = performance.now() - from;
    const { turn_count: shown } = JSON.parse(body.toString()) as { turn_count: number };
    if (shown >= turns) return took;
    if (took > WATCH_MS) throw new Error('a turn did not become visible within 10 s');
    await sleep(POLL_MS);
  }
}

async function send(plan: VisiblePlan, messages: Message[]): Promise<VisibleResult> {
  const open = (count: number) => Promise.all(Array.from({ length: count }, () => HttpConnection.open(plan.port)));
  const [posting, idle] = await Promise.all([open(plan.connections), open(WATCHERS)]);
  const [posts, seen, reads]: [number[], number[], number[]] = [[], [], []];
  const watches: Promise<void>[] = [];
  let next = 0;
  // Never skip a turn while another one is slow: that would hide the slow ones (coordinated omission).
  const seenBy = async (message: Message): Promise<void> => {
    const since = performance.now();
    const watching = idle.pop() ?? (await HttpConnection.open(plan.port));
    seen.push(await watch(watching, message, { readKey: plan.readKey, from: since, reads }));
    idle.push(watching);
  };
  const from = performance.now();
  const sendAll = async (connection: HttpConnection): Promise<void> => {
    for (let index = next++; index < messages.length; index = next++) {
      const message = messages[index];
      if (message === undefined) return;
      const due = plan.ratePerSecond === undefined ? performance.now() : from + (index * 1000) / plan.ratePerSecond;
      if (due > performance.now()) await sleep(due - performance.now());
      const { status } = await connection.request(message.bytes);
      if (status !== 200) throw new Error(`the webhook was answered ${status}`);
      posts.push(performance.now() - due);
      if (plan.watchEvery === 0 || index % plan.watchEvery !== 0) continue;
      const watched = seenBy(message);
      watched.catch(() => undefined); // awaited below
      watches.push(watched);
    }
  };
  await Promise.all(posting.map(sendAll));
  const ms = performance.now() - from;
  await Promise.all(watches);
  for (const connection of [...posting, ...idle]) connection.close();
  return {
    ms,
    post: quantiles(posts),
    ...(seen.length === 0
      ? { visible: null, read: null }
      : { visible: { ...quantiles(seen), count: seen.length }, read: { p50: percentile(reads, 0.5) } }),
  };
}

const quantiles = (values: number[]): { p50: number; p99: number } => ({
  p50: percentile(values, 0.5),
  p99: percentile(values, 0.99),
});

servePart(async (plan: VisiblePlan) => {
  const messages = messagesOf(plan);
  return { ready: null, go: () => send(plan, messages) };
});
