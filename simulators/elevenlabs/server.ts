// A simulated ElevenLabs workspace: its HTTP API on a port, and the methods that tests and traffic use to change its
// conversations.
import { noFaults, type Faults } from '../faults.js';
import type { HistoryOptions } from '../history.js';
import { Lag } from '../lag.js';
import { postOnce } from '../post.js';
import type { Fields } from '../records.js';
import type { LoggedRequest, Requests } from '../requests.js';
import { SimulatedApi } from '../simulated-api.js';
import { AGENTS, type SimulatedAgent } from './agents.js';
import { analysisOf } from './analysis.js';
import { completeConversation, liveConversation, type BuildContext } from './complete-conversation.js';
import { withFields, type Conversation, type Sentiment } from './conversation.js';
import { emptyConversations, listNotes, type ConversationNotes, type Conversations } from './conversations.js';
import { errorBody } from './errors.js';
import { addHistory } from './history.js';
import { planConversation, type Scenario } from './plan.js';
import { elevenLabsEndpoints, type Workspace } from './routes.js';
import { knownAt, oddConversation } from './view.js';
import { webhookDocument } from './webhook-body.js';
import { signatureHeaders, signBody, WebhookSender, type SenderOptions } from './webhooks.js';

/** Practically never (about thirty thousand years): only `finish` ends it. */
const NEVER_MS = 1e15;

/**
 * Start options. `port` 0: any free port. `seed` decides which requests `faults.errors` hits. `clock` returns epoch
 * milliseconds.
 */
export interface SimulatorOptions {
  port?: number;
  apiKey?: string;
  webhookSecret?: string;
  seed?: string;
  clock?: () => number;
  /** Retries are off unless `retries` is set. */
  webhooks?: Pick<SenderOptions, 'timeoutMs' | 'retries' | 'retryDelaysMs'>;
}

/** How a conversation is generated, beyond its scenario; `sentiment` is that of its list item. */
export interface Making extends Scenario {
  seed?: string;
  sentiment?: Sentiment | null;
  /** The parent conversation (`parent_conversation_id` in the list). */
  parentId?: string;
  /** Store the transcript as a seed only. */
  isDerived?: boolean;
}

/** One manual delivery. `body` replaces the real one; `signature` replaces the computed one, `null` omits it. */
export interface DeliverOptions {
  times?: number;
  secret?: string;
  atMs?: number;
  body?: string | Record<string, unknown>;
  signature?: string | null;
}

/** The simulated workspace. Made by {@link startElevenLabsSimulator}. */
export class ElevenLabsSimulator {
  readonly conversations: Conversations;
  readonly agents = new Map<string, SimulatedAgent>(AGENTS.map((agent) => [agent.agent_id, agent]));
  readonly faults: Faults = noFaults();
  readonly apiKey: string;
  readonly webhookSecret: string;
  readonly clock: () => number;
  readonly sender: WebhookSender;
  private readonly api: SimulatedApi;
  private added = 0;

  constructor(options: SimulatorOptions) {
    this.apiKey = options.apiKey ?? 'xi_simulated';
    this.webhookSecret = options.webhookSecret ?? 'wsec_simulated';
    this.clock = options.clock ?? Date.now;
    this.sender = new WebhookSender({ secret: this.webhookSecret, clock: this.clock, ...options.webhooks });
    this.conversations = emptyConversations(new Lag(this.clock, () => this.faults.listLagMs));
    this.api = new SimulatedApi({
      endpoints: elevenLabsEndpoints(this.workspace()),
      faults: this.faults,
      seed: options.seed ?? 'simulated',
      clock: this.clock,
      isAuthorized: (request) => request.header('xi-api-key') === this.apiKey,
      errorBody,
    });
  }

  /** The `baseUrl` for the official client. */
  get baseUrl(): string {
    return this.api.baseUrl;
  }

  /** The latest requests, in order of arrival. */
  get requests(): LoggedRequest[] {
    return this.api.requests.log;
  }

  /** Counts of successful requests, by operation and conversation. */
  get counts(): Requests {
    return this.api.requests;
  }

  /** Starts listening on 127.0.0.1; rejects when the port is taken. */
  async listen(port: number): Promise<void> {
    await this.api.listen(port);
  }

  /**
   * Adds a live conversation: `in-progress` (or `initiated`, if `status` says so), without transcript, with zeros. With any
   * other `status`, the fields are merged into a live conversation as given.
   */
  addConversation(fields: Fields = {}, making: Making = {}): Conversation {
    const seed = this.seedFor(fields, making);
    const live = liveConversation(seed, fields, making, this.context());
    this.keep(live, seed, making);
    this.conversations.update(live.conversation_id, {}, { fields });
    return live;
  }

  /** Adds a finished and analysed conversation: {@link completeConversation} at this simulator's time. */
  addCompleteConversation(fields: Fields = {}, making: Making = {}): Conversation {
    const seed = this.seedFor(fields, making);
    return this.keep(completeConversation(seed, fields, making, this.context()), seed, making);
  }

  /**
   * Ends a live conversation: `processing`, or `failed` when the scenario says so, with transcript and duration. It ends at
   * the planned time, or now if that is earlier. {@link finish} or `faults.lateAnalysisMs` makes it `done`.
   * Throws RangeError for an unknown id.
   */
  endConversation(id: string, fields: Fields = {}, scenario: Scenario = {}): Conversation {
    const { conversation, notes } = this.known(id);
    const making = { ...notes.scenario, ...scenario };
    const given = fixedOf(conversation, notes.fields ?? {}, fields);
    const whole = completeConversation(notes.seed, given, making, this.context());
    const { lateAnalysisMs = NEVER_MS, lateAudioMs } = this.faults;
    const doneFromMs = whole.status === 'done' ? this.clock() + lateAnalysisMs : undefined;
    const audioFromMs = lateAudioMs > 0 ? this.clock() + lateAudioMs : undefined;
    const seen = { ...listNotes(whole, notes.seed), scenario: making, doneFromMs, audioFromMs };
    this.conversations.put(whole, { ...notes, ...seen });
    return knownAt(whole, seen, this.clock());
  }

  /** Changes a conversation from `processing` to `done`; `fields` override. Throws RangeError for an unknown id. */
  finish(id: string, fields: Fields = {}): Conversation {
    const { conversation, notes } = this.known(id);
    const done = withFields(conversation, fields);
    this.conversations.put(done, { ...notes, ...listNotes(done, notes.seed), doneFromMs: undefined });
    return done;
  }

  /**
   * Runs the analysis of a finished conversation again, with a different result. Throws RangeError for an unknown id.
   */
  analyze(id: string, fields: Fields = {}): Conversation {
    const { conversation, notes } = this.known(id);
    const analyses = (notes.analyses ?? 1) + 1;
    const plan = planConversation(notes.seed, conversation, notes.scenario);
    const analysis = { ...analysisOf(plan, conversation.transcript, analyses), ...fields };
    return this.conversations.update(id, { analysis }, { analyses, doneFromMs: undefined });
  }

  /** Rewrites a finished conversation, by default with one corrected utterance. Throws RangeError for an unknown id. */
  rewrite(id: string, fields: Fields = {}): Conversation {
    const { conversation } = this.known(id);
    const at = conversation.transcript.findIndex((item) => item.role === 'user' && item.message !== null);
    const transcript = conversation.transcript.map((item, index) =>
      index === at ? { ...item, message: `${item.message ?? ''} (corrected)` } : item,
    );
    return this.conversations.update(id, withFields({ ...conversation, transcript }, fields));
  }

  /** Adds a history of finished conversations; returns their ids, oldest first (see {@link addHistory}). */
  seedHistory(options: HistoryOptions): string[] {
    return addHistory(this, options);
  }

  /** Deletes a conversation, as the provider's console would: it answers 404 from now on. */
  remove(id: string): boolean {
    return this.conversations.remove(id);
  }

  /** The signature header of a raw body, at a time in epoch milliseconds (default: now). */
  sign(rawBody: string, atMs = this.clock()): string {
    return signBody(rawBody, this.webhookSecret, atMs);
  }

  /**
   * The raw body of a webhook about a conversation in its current state; complete even under zero retention. Throws
   * RangeError for an unknown id.
   */
  webhookBody(type: string, id: string, atMs = this.clock()): string {
    const { conversation, notes } = this.known(id);
    const seen = oddConversation(knownAt(conversation, notes, atMs), this.faults.oddities);
    const plan = planConversation(notes.seed, conversation, notes.scenario);
    return JSON.stringify(webhookDocument(type, seen, plan, atMs));
  }

  /**
   * Posts one webhook `times` times concurrently, without retries. Returns the highest response status; 0 when there was
   * no response.
   */
  async deliver(webhookUrl: string, type: string, id: string, options: DeliverOptions = {}): Promise<number> {
    const given = options.body ?? this.webhookBody(type, id);
    const body = typeof given === 'string' ? given : JSON.stringify(given);
    const computed = signBody(body, options.secret ?? this.webhookSecret, options.atMs ?? this.clock());
    const headers = signatureHeaders(options.signature === undefined ? computed : options.signature);
    const send = () => postOnce(webhookUrl, body, { headers, chunked: type === 'post_call_audio' });
    return Math.max(...(await Promise.all(Array.from({ length: options.times ?? 1 }, send))));
  }

  /** Stops listening and closes open connections. */
  async close(): Promise<void> {
    await this.api.close();
  }

  private workspace(): Workspace {
    const { clock, conversations, agents, faults } = this;
    return { clock, conversations, agents, faults, analyze: (id) => void this.analyze(id) };
  }

  private context(): BuildContext {
    return { nowMs: this.clock() };
  }

  private seedFor(fields: Fields, making: Making): string {
    this.added += 1;
    if (making.seed !== undefined) return making.seed;
    return typeof fields['conversation_id'] === 'string' ? fields['conversation_id'] : `added ${this.added}`;
  }

  private keep(conversation: Conversation, seed: string, making: Making): Conversation {
    const { seed: _, sentiment, parentId, isDerived, ...scenario } = making;
    const notes: ConversationNotes = {
      ...listNotes(conversation, seed),
      ...(sentiment === undefined ? {} : { sentiment }),
      createdMs: this.clock(),
      seed,
      scenario,
      parentId,
      isDerived,
    };
    this.conversations.put(conversation, notes);
    return conversation;
  }

  private known(id: string): { conversation: Conversation; notes: ConversationNotes } {
    const conversation = this.conversations.get(id);
    const notes = this.conversations.notes(id);
    if (!conversation || !notes) throw new RangeError('no such conversation');
    return { conversation, notes };
  }
}

/** The fields set at the beginning and at the end, with the original start. */
function fixedOf(live: Conversation, atBegin: Fields, atEnd: Fields): Fields {
  const { conversation_id, agent_id, metadata } = live;
  const { status: _, ...begun } = atBegin;
  const start = { start_time_unix_secs: metadata.start_time_unix_secs };
  const all = [start, begun['metadata'], atEnd['metadata']].map((part) => (typeof part === 'object' ? part : {}));
  return { ...begun, ...atEnd, conversation_id, agent_id, metadata: Object.assign({}, ...all) as Fields };
}

/** Starts a simulated workspace and waits until it listens. */
export async function startElevenLabsSimulator(options: SimulatorOptions = {}): Promise<ElevenLabsSimulator> {
  const simulator = new ElevenLabsSimulator(options);
  await simulator.listen(options.port ?? 0);
  return simulator;
}
