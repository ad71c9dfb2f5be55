// A simulated Retell workspace: its HTTP API on a port, and the methods that tests and traffic use to change its calls.
import { analysisOf, saidIn } from './analysis.js';
import { AGENTS, CHAT_AGENTS, type SimulatedAgent } from './agents.js';
import { END_FIELDS, type RetellCall } from './call.js';
import { omit, type Fields } from '../records.js';
import { Lag } from '../lag.js';
import { emptyCalls, type Calls } from './calls.js';
import { chatEndpoints } from './chat-routes.js';
import { Chats } from './chats.js';
import { completeCall, ongoingCall, type BuildContext } from './complete-call.js';
import { noFaults, type Faults } from '../faults.js';
import type { LoggedRequest, Requests } from '../requests.js';
import { SimulatedApi } from '../simulated-api.js';
import { addHistory, type RetellHistoryOptions } from './history.js';
import { endReason } from './reasons.js';
import { planCall } from './plan.js';
import { callEndpoints, type Workspace } from './routes.js';
import { knownAt, oddCall, withSignedLinks } from './view.js';
import { correctedFields } from './speech.js';
import { webhookBody } from './webhook-body.js';
import { postOnce } from '../post.js';
import { signatureHeaders, signBody, WebhookSender, type SenderOptions } from './webhooks.js';

/**
 * Start options. `port` 0: any free port. `seed` decides which requests `faults.errors` hits. `clock` returns epoch
 * milliseconds.
 */
export interface SimulatorOptions {
  port?: number;
  apiKey?: string;
  seed?: string;
  clock?: () => number;
  webhooks?: Pick<SenderOptions, 'timeoutMs' | 'retryDelaysMs'>;
}

/** One manual delivery. `body` replaces the real one; `signature` replaces the computed one, `null` omits it. */
export interface DeliverOptions {
  times?: number;
  secret?: string;
  atMs?: number;
  body?: string | Record<string, unknown>;
  signature?: string | null;
}

/** The simulated workspace. Made by {@link startRetellSimulator}. */
export class RetellSimulator {
  readonly calls: Calls;
  readonly agents = new Map<string, SimulatedAgent>(
    [...AGENTS, ...CHAT_AGENTS].map((agent) => [agent.agent_id, agent]),
  );
  readonly faults: Faults = noFaults();
  readonly chats: Chats;
  readonly apiKey: string;
  readonly clock: () => number;
  readonly sender: WebhookSender;
  /** Called after a live call or chat was stopped over the API. */
  onStopped: (callId: string) => void = () => undefined;
  private readonly api: SimulatedApi;
  private added = 0;

  constructor(options: SimulatorOptions) {
    this.apiKey = options.apiKey ?? 'key_simulated';
    this.clock = options.clock ?? Date.now;
    this.sender = new WebhookSender({ apiKey: this.apiKey, clock: this.clock, ...options.webhooks });
    this.calls = emptyCalls(new Lag(this.clock, () => this.faults.listLagMs));
    this.chats = new Chats(this.clock, this.faults);
    const workspace = this.workspace();
    const stopChat = { chats: this.chats, stop: (chatId: string) => this.stopChat(chatId) };
    this.api = new SimulatedApi({
      endpoints: [...callEndpoints(workspace), ...chatEndpoints({ ...workspace, ...stopChat })],
      faults: this.faults,
      seed: options.seed ?? 'simulated',
      clock: this.clock,
      isAuthorized: (request) => request.header('authorization') === `Bearer ${this.apiKey}`,
      errorBody: (error) => ({ status: 'error', message: error.message }),
    });
  }

  get baseUrl(): string {
    return this.api.baseUrl;
  }

  /** The latest requests, in order of arrival. */
  get requests(): LoggedRequest[] {
    return this.api.requests.log;
  }

  /** Counts of successful requests, by operation and record. */
  get counts(): Requests {
    return this.api.requests;
  }

  /** Starts listening on 127.0.0.1; rejects when the port is taken. */
  async listen(port: number): Promise<void> {
    await this.api.listen(port);
  }

  /**
   * Adds a call. With a `call_status` other than `ongoing` or `registered` it is stored as given: use {@link completeCall}
   * for its other fields. Otherwise it is a live call, and the seed (default: its `call_id`) generates the missing fields.
   */
  addCall(fields: Fields = {}, seed = this.seedFor(fields)): RetellCall {
    const status = fields['call_status'] ?? 'ongoing';
    const isLive = status === 'ongoing' || status === 'registered';
    const live = ongoingCall(seed, fields, this.context());
    const call = isLive ? live : omit({ ...identityOf(live), ...fields }, []);
    this.calls.put(call, { createdMs: this.clock(), seed });
    return call;
  }

  /** Adds a finished and analysed call: {@link completeCall} with this simulator's URL and time. */
  addCompleteCall(fields: Fields = {}, seed = this.seedFor(fields)): RetellCall {
    const call = completeCall(seed, fields, this.context());
    this.calls.put(call, { createdMs: this.clock(), seed });
    return call;
  }

  /**
   * Ends a live call: status by `disconnection_reason` (default `user_hangup`), transcript, recording, cost. It ends at the
   * planned time, or now if that is earlier. Unless `fields` has an analysis, {@link analyze} or `faults.lateAnalysisMs`
   * adds it. Throws RangeError for an unknown id.
   */
  endCall(callId: string, fields: Fields = {}): RetellCall {
    const { call, seed } = this.known(callId);
    const reason = typeof fields['disconnection_reason'] === 'string' ? fields['disconnection_reason'] : 'user_hangup';
    const isConnected = endReason(reason).connected;
    const kept = omit(call, [...END_FIELDS, 'call_status', ...(isConnected ? [] : ['start_timestamp'])]);
    const whole = completeCall(seed, { ...kept, ...fields }, this.context());
    const late = this.faults.lateAnalysisMs;
    const hasAnalysis = 'call_analysis' in fields || late !== undefined;
    const analysisFromMs = 'call_analysis' in fields || late === undefined ? undefined : this.clock() + late;
    const ended = hasAnalysis ? whole : omit(whole, ['call_analysis']);
    const audioFromMs = this.faults.lateAudioMs > 0 ? this.clock() + this.faults.lateAudioMs : undefined;
    this.calls.put(ended, { createdMs: this.clock(), ...this.calls.notes(callId), seed, analysisFromMs, audioFromMs });
    return knownAt(ended, { analysisFromMs }, this.clock());
  }

  /**
   * Adds or replaces the analysis of a call; `fields` override what the seed generates. Throws RangeError for an
   * unknown id.
   */
  analyze(callId: string, fields: Fields = {}): RetellCall {
    const { call, seed } = this.known(callId);
    const analysis = { ...analysisOf(planCall(seed, call), saidIn(call)), ...fields };
    return this.calls.update(callId, { call_analysis: analysis }, { analysisFromMs: undefined });
  }

  /** Rewrites a finished call, by default with one corrected utterance. Throws RangeError for an unknown id. */
  rewrite(callId: string, fields: Fields = {}): RetellCall {
    const { call } = this.known(callId);
    return this.calls.update(callId, { ...correctedFields(call), ...fields });
  }

  /** Adds a history of finished calls and chats; returns their ids, oldest first (see {@link addHistory}). */
  seedHistory(options: RetellHistoryOptions): string[] {
    return addHistory(this, options);
  }

  /** Deletes a call, as the provider's console would: it answers 404 from now on. */
  remove(callId: string): boolean {
    return this.calls.remove(callId);
  }

  /** The signature header of a raw body, at a time in epoch milliseconds (default: now). */
  sign(rawBody: string, atMs = this.clock()): string {
    return signBody(rawBody, this.apiKey, atMs);
  }

  /** The raw body of a webhook about a call or a chat in its current state. Throws RangeError for an unknown id. */
  webhookBody(event: string, callId: string): string {
    if (this.chats.records.notes(callId)) return this.chats.webhookBody(event, callId);
    const known = knownAt(this.known(callId).call, this.calls.notes(callId) ?? {}, this.clock());
    return this.bodyOf(event, known);
  }

  /** The raw body of a webhook about the given state of a call. */
  bodyOf(event: string, call: RetellCall): string {
    return webhookBody(event, oddCall(withSignedLinks(call, this.clock(), this.apiKey), this.faults.oddities));
  }

  /**
   * Posts one webhook `times` times concurrently, without retries. Returns the highest response status; 0 when there was
   * no response.
   */
  async deliver(webhookUrl: string, event: string, callId: string, options: DeliverOptions = {}): Promise<number> {
    const given = options.body ?? this.webhookBody(event, callId);
    const body = typeof given === 'string' ? given : JSON.stringify(given);
    const computed = signBody(body, options.secret ?? this.apiKey, options.atMs ?? this.clock());
    const signature = options.signature === undefined ? computed : options.signature;
    const send = () => postOnce(webhookUrl, body, { headers: signatureHeaders(signature) });
    return Math.max(...(await Promise.all(Array.from({ length: options.times ?? 1 }, send))));
  }

  /** Stops listening and closes open connections. */
  async close(): Promise<void> {
    await this.api.close();
  }

  private workspace(): Workspace {
    return {
      apiKey: this.apiKey,
      clock: this.clock,
      calls: this.calls,
      agents: this.agents,
      faults: this.faults,
      stop: (callId) => this.stop(callId),
      rerun: (callId) => void this.analyze(callId),
    };
  }

  private context(): BuildContext {
    return { baseUrl: this.baseUrl, nowMs: this.clock() };
  }

  private seedFor(fields: Fields): string {
    this.added += 1;
    return typeof fields['call_id'] === 'string' ? fields['call_id'] : `added ${this.added}`;
  }

  private known(callId: string): { call: RetellCall; seed: string } {
    const call = this.calls.get(callId);
    const notes = this.calls.notes(callId);
    if (!call || !notes) throw new RangeError('no such call');
    return { call, seed: notes.seed };
  }

  private stopChat(chatId: string): void {
    this.chats.end(chatId);
    this.onStopped(chatId);
  }

  private stop(callId: string): void {
    this.endCall(callId, { disconnection_reason: 'manual_stopped' });
    this.onStopped(callId);
  }
}

/** The fields that every call has. */
function identityOf(call: RetellCall): RetellCall {
  const { call_id, call_type, call_status, agent_id, agent_version } = call;
  return { call_id, call_type, call_status, agent_id, agent_version };
}

/** Starts a simulated workspace and waits until it listens. */
export async function startRetellSimulator(options: SimulatorOptions = {}): Promise<RetellSimulator> {
  const simulator = new RetellSimulator(options);
  await simulator.listen(options.port ?? 0);
  return simulator;
}
