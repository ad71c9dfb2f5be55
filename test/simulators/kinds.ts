// A common interface to the three kinds of simulated conversations: events through handles and traffic, the rest over HTTP.
import { startElevenLabsSimulator } from '../../simulators/elevenlabs/index.js';
import { ElevenLabsTraffic } from '../../simulators/elevenlabs/traffic.js';
import type { TrafficCounts, WebhookHit } from '../../simulators/pace.js';
import { startRetellSimulator } from '../../simulators/retell/index.js';
import { RetellTraffic, type RetellTrafficOptions } from '../../simulators/retell/traffic.js';

type Document = Record<string, unknown>;

interface Traffic {
  counts: TrafficCounts;
  hits: readonly WebhookHit[];
  start: () => void;
  idle: () => Promise<void>;
  stop: () => Promise<void>;
}

interface Options {
  seed?: string;
  clock?: () => number;
}

/** A running simulator, limited to one kind of conversation. */
export interface Simulated {
  baseUrl: string;
  get: (id: string) => Promise<Response>;
  list: () => Promise<Response>;
  remove: (id: string) => Promise<Response>;
  hear: (id: string) => Promise<Response>;
  addLive: () => string;
  end: (id: string) => void;
  finish: (id: string) => void;
  addComplete: () => string;
  /** The documents of the workspace by id. */
  documents: () => [string, Document][];
  traffic: (webhookUrl: string, options?: Partial<RetellTrafficOptions>) => Traffic;
  close: () => Promise<void>;
}

/** One kind: the names of its fields, webhooks and oddities. */
export interface Kind {
  name: string;
  id: string;
  status: string;
  analysis: string;
  isSpoken: boolean;
  /** The webhooks of a conversation in chronological order; the last one, apart from audio, contains everything. */
  events: readonly string[];
  lastEvent: string;
  odd: Record<'unknown_field' | 'unknown_value' | 'null', string>;
  start: (options?: Options) => Promise<Simulated>;
}

const DEFAULTS = { seed: 'spec', perMinute: 60_000, speed: 2000, history: 0, disorder: 0, maxConversations: 8 };

async function retell(options: Options) {
  const simulator = await startRetellSimulator({ ...options, webhooks: { retryDelaysMs: [5, 5, 5] } });
  const { baseUrl, apiKey } = simulator;
  const request = (method: string, path: string, body?: string) =>
    fetch(`${baseUrl}${path}`, { method, body, headers: { authorization: `Bearer ${apiKey}` } });
  const traffic = (chats: number): Simulated['traffic'] => {
    const rest = { simulator, chats, transcriptUpdates: false };
    return (webhookUrl, given = {}) => new RetellTraffic({ ...DEFAULTS, ...rest, webhookUrl, ...given });
  };
  return { simulator, request, traffic, common: { baseUrl, close: () => simulator.close() } };
}

async function retellCalls(options: Options = {}): Promise<Simulated> {
  const { simulator, request, traffic, common } = await retell(options);
  const { calls } = simulator;
  return {
    ...common,
    get: (id) => request('GET', `/v2/get-call/${id}`),
    list: () => request('POST', '/v3/list-calls', '{"limit":1000}'),
    remove: (id) => request('DELETE', `/v2/delete-call/${id}`),
    hear: (id) => fetch(`${simulator.baseUrl}/recordings/${id}.wav`),
    addLive: () => simulator.addCall().call_id,
    end: (id) => void simulator.endCall(id),
    finish: (id) => void simulator.analyze(id),
    addComplete: () => simulator.addCompleteCall().call_id,
    documents: () => calls.heads().map(({ head }) => [head.call_id, calls.get(head.call_id) ?? {}]),
    traffic: traffic(0),
  };
}

async function retellChats(options: Options = {}): Promise<Simulated> {
  const { simulator, request, traffic, common } = await retell(options);
  const { chats } = simulator;
  const { records } = chats;
  return {
    ...common,
    get: (id) => request('GET', `/get-chat/${id}`),
    list: () => request('POST', '/v3/list-chats', '{"limit":1000}'),
    remove: (id) => request('DELETE', `/delete-chat/${id}`),
    hear: () => Promise.reject(new Error('a chat has no recording')),
    addLive: () => chats.add().chat_id,
    end: (id) => void chats.end(id),
    finish: (id) => void chats.analyze(id),
    addComplete: () => chats.addComplete().chat_id,
    documents: () => records.heads().map(({ head }) => [head.chat_id, records.get(head.chat_id) ?? {}]),
    traffic: traffic(1),
  };
}

async function elevenLabs(options: Options = {}): Promise<Simulated> {
  const webhooks = { retries: true, retryDelaysMs: [5, 5, 5, 5] };
  const simulator = await startElevenLabsSimulator({ ...options, webhooks });
  const { baseUrl, apiKey, conversations } = simulator;
  const request = (method: string, path: string) =>
    fetch(`${baseUrl}/v1/convai/conversations${path}`, { method, headers: { 'xi-api-key': apiKey } });
  const ids = () => conversations.heads().map(({ head }) => head.conversation_id);
  return {
    baseUrl,
    get: (id) => request('GET', `/${id}`),
    list: () => request('GET', '?page_size=100'),
    remove: (id) => request('DELETE', `/${id}`),
    hear: (id) => request('GET', `/${id}/audio`),
    addLive: () => simulator.addConversation().conversation_id,
    end: (id) => void simulator.endConversation(id),
    finish: (id) => void simulator.finish(id),
    addComplete: () => simulator.addCompleteConversation().conversation_id,
    documents: () => ids().map((id) => [id, conversations.get(id) ?? {}]),
    traffic: (webhookUrl, given = {}) => new ElevenLabsTraffic({ ...DEFAULTS, ...given, simulator, webhookUrl }),
    close: () => simulator.close(),
  };
}

const RETELL_ODD = { unknown_field: '"x_new_field":', null: '"metadata":null' };

export const KINDS: readonly Kind[] = [
  {
    name: 'a Retell call',
    id: 'call_id',
    status: 'call_status',
    analysis: 'call_analysis',
    isSpoken: true,
    events: ['call_started', 'call_ended', 'call_analyzed'],
    lastEvent: 'call_analyzed',
    odd: { ...RETELL_ODD, unknown_value: '"disconnection_reason":"swept_away"' },
    start: retellCalls,
  },
  {
    name: 'a Retell chat',
    id: 'chat_id',
    status: 'chat_status',
    analysis: 'chat_analysis',
    isSpoken: false,
    events: ['chat_started', 'chat_ended', 'chat_analyzed'],
    lastEvent: 'chat_analyzed',
    odd: { ...RETELL_ODD, unknown_value: '"chat_type":"pigeon_chat"' },
    start: retellChats,
  },
  {
    name: 'an ElevenLabs conversation',
    id: 'conversation_id',
    status: 'status',
    analysis: 'analysis',
    isSpoken: true,
    events: ['post_call_transcription', 'post_call_audio'],
    lastEvent: 'post_call_transcription',
    odd: {
      unknown_field: '"x_new_field":',
      unknown_value: '"conversation_initiation_source":"carrier_pigeon"',
      null: '"visited_agents":null',
    },
    start: elevenLabs,
  },
];

/** Sets faults like an operator does. */
export async function setFaults({ baseUrl }: Simulated, faults: object): Promise<void> {
  const { status } = await fetch(`${baseUrl}/_control/faults`, { method: 'POST', body: JSON.stringify(faults) });
  if (status !== 200) throw new Error(`faults were refused: ${status}`);
}

/** A document over HTTP. */
export async function documentOf(simulated: Simulated, id: string): Promise<Document> {
  return (await (await simulated.get(id)).json()) as Document;
}

/** The items of the list over HTTP. */
export async function listOf(simulated: Simulated): Promise<Document[]> {
  const { items, conversations } = (await (await simulated.list()).json()) as Record<string, Document[] | undefined>;
  return items ?? conversations ?? [];
}
