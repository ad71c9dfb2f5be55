// Generates calls and chats in a simulated Retell workspace at a given rate, and sends their webhooks. Minutes in the
// record take seconds of real time (`speed`); the record begins in the past, so that it ends now.
import { isReached } from '../bound.js';
import { Outbox, Pace, type TrafficCounts, type TrafficOptions, type WebhookHit } from '../pace.js';
import { Random } from '../random.js';
import type { Fields } from '../records.js';
import type { Notes } from '../notes.js';
import type { RetellCall } from './call.js';
import type { CallNotes } from './calls.js';
import { ChatTraffic, isUnfinished as isUnfinishedChat } from './chat-traffic.js';
import { completeCall } from './complete-call.js';
import { endReason } from './reasons.js';
import { recordingBytes } from './recordings.js';
import { scenarioOf } from './scenarios.js';
import type { RetellSimulator } from './server.js';
import { spokenUntil, transcriptFields } from './speech.js';
import { TransferNews } from './transfer-news.js';

/** Options of Retell traffic; `chats` is the share of chats. */
export interface RetellTrafficOptions extends TrafficOptions {
  simulator: RetellSimulator;
  chats: number;
  /** Whether to send `transcript_updated` during a call; off by default at Retell. */
  transcriptUpdates: boolean;
}

type Mishap = 'none' | 'doubled' | 'reordered' | 'no_start';

const HOUR_MS = 3_600_000;

/** Traffic that runs until it is stopped. */
export class RetellTraffic {
  readonly pace = new Pace();
  private readonly outbox: Outbox;
  private readonly chats: ChatTraffic;
  private readonly news: TransferNews;
  private readonly stopped = new Map<string, () => void>();

  constructor(private readonly options: RetellTrafficOptions) {
    const { simulator, webhookUrl, seed } = options;
    this.outbox = new Outbox(
      this.pace,
      simulator.faults,
      (_, body, signal, isRetried) => simulator.sender.send(webhookUrl, body, signal, isRetried),
      seed,
    );
    this.chats = new ChatTraffic(simulator, this.pace, this.outbox, options.speed, this.stopped);
    this.news = new TransferNews(simulator, this.pace, this.outbox, options.speed);
    simulator.onStopped = (id) => this.stopped.get(id)?.();
  }

  get counts(): TrafficCounts {
    return this.outbox.counts;
  }

  get hits(): readonly WebhookHit[] {
    return this.outbox.hits;
  }

  /**
   * Announces existing records (`announce`) or a new history, finishes what an earlier run left open, then starts new
   * traffic.
   */
  start(announce: readonly string[] = []): void {
    const { simulator, seed, history, chats, perMinute, maxConversations = Infinity } = this.options;
    const unfinished = simulator.calls.heads().filter(({ head, notes }) => isUnfinished(head, notes));
    const isNew = simulator.calls.size === 0 && simulator.chats.records.size === 0;
    const past = isNew
      ? simulator.seedHistory({ count: history, from: simulator.clock() - 6 * HOUR_MS, seed, chats })
      : announce;
    for (const { head, notes } of unfinished) this.pace.run(() => this.finish(head.call_id, notes.seed, 'none'));
    this.chats.resume();
    this.pace.run(() => this.announceFinished(past));
    this.pace.arrive(
      seed,
      () => this.quietRate() ?? perMinute,
      maxConversations,
      async (each) => await this.live(each),
    );
  }

  /** Waits until nothing is in progress; never resolves without `maxConversations`. */
  async idle(): Promise<void> {
    await this.pace.idle();
  }

  /** Stops immediately. Live calls and chats stay `ongoing` in the workspace. */
  async stop(): Promise<void> {
    await this.pace.stop();
  }

  /** Chats per minute once the recordings reach the limit; undefined before. */
  private quietRate(): number | undefined {
    const { bound, simulator } = this.options;
    return isReached(bound, () => simulator.calls.heads(), recordingBytes) ? bound?.quietPerMinute : undefined;
  }

  private async live(seed: string): Promise<void> {
    this.counts.conversations += 1;
    const random = new Random(`${seed} live`);
    const mishap = random.chance(this.options.disorder)
      ? random.pick<Mishap>(['doubled', 'reordered', 'no_start'])
      : 'none';
    const isChat = new Random(`${seed} kind`).chance(this.options.chats) || this.quietRate() !== undefined;
    if (isChat) return this.chats.live(seed, mishap === 'doubled');
    const { simulator, speed } = this.options;
    const fields = scenarioOf(seed);
    const whole = completeCall(seed, fields, { baseUrl: simulator.baseUrl });
    if (whole['direction'] === 'outbound') await this.ring(seed, fields, whole);
    if (whole.duration_ms === undefined) return this.unconnected(seed, fields);
    const startMs = Math.floor(simulator.clock() + whole.duration_ms / speed - whole.duration_ms);
    const plan = { ...fields, direction: whole.direction, disconnection_reason: undefined };
    const { call_id: id } = simulator.addCall({ ...plan, call_status: 'ongoing', start_timestamp: startMs }, seed);
    if (mishap !== 'no_start') this.announce('call_started', id);
    await this.finish(id, seed, mishap);
  }

  /** Adds a call that is being dialled: `registered`, without a webhook. */
  private async ring(seed: string, fields: Fields, { direction }: RetellCall): Promise<void> {
    const { simulator, speed } = this.options;
    const dialled = { ...fields, direction, disconnection_reason: undefined, start_timestamp: undefined };
    simulator.addCall({ ...dialled, call_status: 'registered' }, seed);
    await this.pace.pause(new Random(`${seed} ringing`).between(4000, 30_000) / speed);
  }

  /** A call that never connects: no `call_started`, only `call_ended` and the analysis. */
  private async unconnected(seed: string, fields: Fields): Promise<void> {
    const { call_id: id } = this.options.simulator.addCompleteCall({ ...fields, call_analysis: undefined }, seed);
    this.announce('call_ended', id);
    await this.analyse(id, seed);
  }

  /** Takes a call from its current state to its analysis. */
  private async finish(id: string, seed: string, mishap: Mishap): Promise<void> {
    const { simulator } = this.options;
    const begun = simulator.calls.get(id);
    if (begun?.call_status === 'registered') simulator.endCall(id, { disconnection_reason: 'dial_no_answer' });
    if (begun?.call_status === 'ongoing') {
      await this.untilEnd(begun, seed);
      if (simulator.calls.get(id)?.call_status === 'ongoing') {
        simulator.endCall(id, this.news.withEnd(seed, scenarioOf(seed)));
      }
    }
    if (simulator.calls.get(id) === undefined) return;
    const body = simulator.webhookBody('call_ended', id);
    if (mishap !== 'reordered') this.outbox.post('call_ended', id, body);
    if (mishap === 'doubled') this.outbox.post('call_ended', id, body);
    this.news.tellEnd(id);
    await this.analyse(id, seed);
    if (mishap === 'reordered') this.outbox.post('call_ended', id, body);
  }

  /** Waits for the planned end or until the call is stopped; sends transcript and transfer webhooks meanwhile. */
  private async untilEnd(begun: RetellCall, seed: string): Promise<void> {
    const { simulator, speed, transcriptUpdates } = this.options;
    const whole = completeCall(seed, { ...scenarioOf(seed), start_timestamp: begun.start_timestamp });
    const endMs = (begun.start_timestamp ?? 0) + (whole.duration_ms ?? 0);
    const stopped = new AbortController();
    const isStopped = new Promise<void>((resolve) => this.stopped.set(begun.call_id, resolve));
    if (transcriptUpdates) this.pace.run(() => this.tellTranscript(begun, whole, speed, stopped.signal));
    this.news.report(begun, whole, seed, stopped.signal);
    await Promise.race([this.pace.pause(endMs - simulator.clock()), isStopped.then(() => stopped.abort())]);
    this.stopped.delete(begun.call_id);
  }

  /**
   * Sends the transcript turn by turn, completely unless the call is stopped: on a busy machine the last turns come
   * after its end.
   */
  private async tellTranscript(
    begun: RetellCall,
    whole: RetellCall,
    speed: number,
    stopped: AbortSignal,
  ): Promise<void> {
    const items = whole.transcript_with_tool_calls ?? [];
    const beganMs = this.options.simulator.clock();
    for (const item of whole.transcript_object ?? []) {
      const spokenMs = 'words' in item ? (item.words.at(-1)?.end ?? 0) * 1000 : 0;
      await this.pace.pause(beganMs + spokenMs / speed - this.options.simulator.clock());
      if (stopped.aborted) return;
      const soFar = { ...begun, ...transcriptFields(spokenUntil(items, spokenMs)) };
      this.outbox.post('transcript_updated', begun.call_id, this.options.simulator.bodyOf('transcript_updated', soFar));
    }
  }

  private async analyse(id: string, seed: string): Promise<void> {
    const { simulator, speed } = this.options;
    const drawnMs = new Random(`${seed} analysis time`).between(10_000, 60_000) / speed;
    await this.pace.pause(simulator.faults.lateAnalysisMs ?? drawnMs);
    if (simulator.calls.get(id) === undefined) return;
    simulator.calls.note(id, { isUntold: true });
    simulator.analyze(id);
    await this.outbox.send('call_analyzed', id, simulator.webhookBody('call_analyzed', id));
    simulator.calls.note(id, { isUntold: undefined });
    const { share, afterMs, webhook } = simulator.faults.rewrites;
    if (!new Random(`${seed} rewrite`).chance(share)) return;
    await this.pace.pause(afterMs);
    if (simulator.calls.get(id) === undefined) return;
    simulator.rewrite(id);
    if (webhook) await this.outbox.send('call_analyzed', id, simulator.webhookBody('call_analyzed', id));
  }

  /** Sends the webhooks of finished records in sequence; those that a restart interrupts are sent after it. */
  private async announceFinished(ids: readonly string[]): Promise<void> {
    const past = ids.map((id) => ({ id, events: this.pastEvents(id) })).filter(({ events }) => events.length > 0);
    for (const { id } of past) this.note(id, { isUntold: true });
    for (const { id, events } of past) {
      for (const event of events) await this.send(event, id);
      this.note(id, { isUntold: undefined });
    }
  }

  /** The webhook events of a finished conversation; none for an unfinished one. */
  private pastEvents(id: string): string[] {
    const { calls, chats } = this.options.simulator;
    const [call, notes] = [calls.get(id), calls.notes(id)];
    if (call && notes) {
      const start = endReason(call.disconnection_reason ?? '').connected ? ['call_started'] : [];
      return isUnfinished(call, notes) ? [] : [...start, 'call_ended', 'call_analyzed'];
    }
    const [chat, chatNotes] = [chats.records.get(id), chats.records.notes(id)];
    const isOver = chat && chatNotes && !isUnfinishedChat(chat, chatNotes);
    return isOver ? ['chat_started', 'chat_ended', 'chat_analyzed'] : [];
  }

  private note(id: string, notes: Partial<Notes>): void {
    this.options.simulator.calls.note(id, notes);
    this.options.simulator.chats.records.note(id, notes);
  }

  private async send(event: string, id: string): Promise<void> {
    const { simulator } = this.options;
    if (!simulator.calls.notes(id) && !simulator.chats.records.notes(id)) return;
    await this.outbox.send(event, id, simulator.webhookBody(event, id));
  }

  private announce(event: string, id: string): void {
    this.outbox.post(event, id, this.options.simulator.webhookBody(event, id));
  }
}

function isUnfinished(call: Readonly<RetellCall>, notes: Readonly<CallNotes>): boolean {
  const isLive = call.call_status === 'ongoing' || call.call_status === 'registered';
  const isAnalysed = call.call_analysis !== undefined && notes.analysisFromMs === undefined;
  return isLive || !isAnalysed || notes.isUntold === true;
}
