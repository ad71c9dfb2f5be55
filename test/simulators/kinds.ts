// The three kinds of simulated conversations, driven alike: what happens by handles and traffic, the rest over HTTP.
import { startElevenLabsSimulator } from '../../simulators/elevenlabs/index.js';
import { ElevenLabsTraffic } from '../../simulators/elevenlabs/traffic.js';
import type { TrafficOptions, WebhookHit, TrafficCounts } from '../../simulators/pace.js';
import { startRetellSimulator } from '../../simulators/retell/index.js';
import { RetellTraffic } from '../../simulators/retell/traffic.js';

interface Traffic {
  counts: TrafficCounts;
  hits: readonly WebhookHit[];
  start: () => void;
  idle: () => Promise<void>;
  stop: () => Promise<void>;
}

/** A running simulator, as far as one kind of conversation goes. */
export interface Simulated {
  baseUrl: string;
  headers: Record<string, string>;
  /** Paths of one conversation and of its recording. */
  pathOf: (id: string) => string;
  deletePathOf: (id: string) => string;
  audioUrlOf: (id: string) => string;
  list: () => Promise<Response>;
  addLive: () => string;
  end: (id: string) => void;
  finish: (id: string) => void;
  addComplete: () => string;
  /** What the workspace holds, by id. */
  documents: () => [string, Record<string, unknown>][];
  traffic: (webhookUrl: string, options: Partial<TrafficOptions>) => Traffic;
  close: () => Promise<void>;
}

/** One kind: its name, and the webhook that comes when everything about a conversation is known. */
export interface Kind {
  name: string;
  lastEvent: string;
  start: (seed?: string) => Promise<Simulated>;
}

const DEFAULTS = { seed: 'spec', perMinute: 60_000, speed: 2000, history: 0, disorder: 0, maxConversations: 10 };

async function retell(seed: string | undefined) {
  const simulator = await startRetellSimulator({ seed, webhooks: { retryDelaysMs: [5, 5, 5] } });
  const { baseUrl, apiKey } = simulator;
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
  const list = (path: string) => async () =>
    await fetch(`${baseUrl}/v3/${path}`, { method: 'POST', headers, body: '{"limit":1000}' });
  const traffic = (chats: number) => (webhookUrl: string, options: Partial<TrafficOptions>) =>
    new RetellTraffic({ ...DEFAULTS, simulator, webhookUrl, chats, transcriptUpdates: true, ...options });
  return { simulator, common: { baseUrl, headers, close: () => simulator.close() }, list, traffic };
}

async function retellCalls(seed?: string): Promise<Simulated> {
  const { simulator, common, list, traffic } = await retell(seed);
  const { calls } = simulator;
  return {
    ...common,
    pathOf: (id) => `/v2/get-call/${id}`,
    deletePathOf: (id) => `/v2/delete-call/${id}`,
    audioUrlOf: (id) => String(calls.get(id)?.recording_url),
    list: list('list-calls'),
    addLive: () => simulator.addCall().call_id,
    end: (id) => void simulator.endCall(id),
    finish: (id) => void simulator.analyze(id),
    addComplete: () => simulator.addCompleteCall().call_id,
    documents: () => calls.heads().map(({ head }) => [head.call_id, calls.get(head.call_id) ?? {}]),
    traffic: traffic(0),
  };
}

async function retellChats(seed?: string): Promise<Simulated> {
  const { simulator, common, list, traffic } = await retell(seed);
  const { chats } = simulator;
  const { records } = chats;
  return {
    ...common,
    pathOf: (id) => `/get-chat/${id}`,
    deletePathOf: (id) => `/delete-chat/${id}`,
    audioUrlOf: () => 'none',
    list: list('list-chats'),
    addLive: () => chats.add().chat_id,
    end: (id) => void chats.end(id),
    finish: (id) => void chats.analyze(id),
    addComplete: () => chats.addComplete().chat_id,
    documents: () => records.heads().map(({ head }) => [head.chat_id, records.get(head.chat_id) ?? {}]),
    traffic: traffic(1),
  };
}

async function elevenLabs(seed?: string): Promise<Simulated> {
  const simulator = await startElevenLabsSimulator({ seed, webhooks: { retries: true, retryDelaysMs: [5, 5, 5] } });
  const { baseUrl, apiKey, conversations } = simulator;
  const headers = { 'xi-api-key': apiKey };
  const pathOf = (id: string) => `/v1/convai/conversations/${id}`;
  return {
    baseUrl,
    headers,
    pathOf,
    deletePathOf: pathOf,
    audioUrlOf: (id) => `${baseUrl}${pathOf(id)}/audio`,
    list: async () => await fetch(`${baseUrl}/v1/convai/conversations?page_size=100`, { headers }),
    addLive: () => simulator.addConversation().conversation_id,
    end: (id) => void simulator.endConversation(id),
    finish: (id) => void simulator.finish(id),
    addComplete: () => simulator.addCompleteConversation().conversation_id,
    documents: () =>
      conversations.heads().map(({ head: { conversation_id: id } }) => [id, conversations.get(id) ?? {}]),
    traffic: (webhookUrl, options) => new ElevenLabsTraffic({ ...DEFAULTS, simulator, webhookUrl, ...options }),
    close: () => simulator.close(),
  };
}

export const KINDS: readonly Kind[] = [
  { name: 'a Retell call', lastEvent: 'call_analyzed', start: retellCalls },
  { name: 'a Retell chat', lastEvent: 'chat_analyzed', start: retellChats },
  { name: 'an ElevenLabs conversation', lastEvent: 'post_call_transcription', start: elevenLabs },
];

/** Sets faults as an operator does. */
export async function setFaults({ baseUrl }: Simulated, faults: object): Promise<void> {
  const { status } = await fetch(`${baseUrl}/_control/faults`, { method: 'POST', body: JSON.stringify(faults) });
  if (status !== 200) throw new Error(`faults were refused: ${status}`);
}
