// Generates conversations in a simulated ElevenLabs workspace at a given rate, and sends their webhooks when they are
// over: ElevenLabs has no webhook for the start. Minutes in the record take seconds of real time (`speed`).
import { isReached } from '../bound.js';
import { Outbox, Pace, type TrafficCounts, type TrafficOptions, type WebhookHit } from '../pace.js';
import { Random } from '../random.js';
import { completeConversation } from './complete-conversation.js';
import type { Conversation } from './conversation.js';
import type { ConversationNotes } from './conversations.js';
import { endOf } from './outcomes.js';
import type { Scenario } from './plan.js';
import { recordingBytes } from './recording.js';
import { scenarioOf } from './scenarios.js';
import type { ElevenLabsSimulator } from './server.js';

export interface ElevenLabsTrafficOptions extends TrafficOptions {
  simulator: ElevenLabsSimulator;
}

type Mishap = 'none' | 'doubled' | 'audio_first' | 'missing';

const HOUR_MS = 3_600_000;

/** Traffic that runs until it is stopped. */
export class ElevenLabsTraffic {
  readonly pace = new Pace();
  private readonly outbox: Outbox;

  constructor(private readonly options: ElevenLabsTrafficOptions) {
    const { simulator, webhookUrl, seed } = options;
    this.outbox = new Outbox(
      this.pace,
      simulator.faults,
      (type, body, signal, isRetried) => simulator.sender.send(webhookUrl, type, body, signal, isRetried),
      seed,
    );
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
    const { simulator, seed, history, perMinute, maxConversations = Infinity } = this.options;
    const unfinished = simulator.conversations.heads().filter(({ head, notes }) => isUnfinished(head, notes));
    const isNew = simulator.conversations.size === 0;
    const past = isNew
      ? simulator.seedHistory({ count: history, from: simulator.clock() - 6 * HOUR_MS, seed })
      : announce;
    this.pace.run(() => this.announceFinished(past));
    for (const { head, notes } of unfinished) {
      this.pace.run(() => this.finish(head.conversation_id, notes.seed, 'none'));
    }
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

  /** Stops immediately. Live conversations stay `in-progress` in the workspace. */
  async stop(): Promise<void> {
    await this.pace.stop();
  }

  /** Chats per minute once the recordings reach the limit; undefined before. */
  private quietRate(): number | undefined {
    const { bound, simulator } = this.options;
    return isReached(bound, () => simulator.conversations.heads(), recordingBytes) ? bound?.quietPerMinute : undefined;
  }

  private async live(seed: string): Promise<void> {
    this.counts.conversations += 1;
    const { simulator, speed, disorder } = this.options;
    const random = new Random(`${seed} live`);
    const mishap = random.chance(disorder) ? random.pick<Mishap>(['doubled', 'audio_first', 'missing']) : 'none';
    const drawn = scenarioOf(seed);
    const scenario = this.quietRate() === undefined ? drawn : chatOf(drawn);
    const { metadata } = completeConversation(seed, {}, scenario);
    if (!endOf(scenario.outcome ?? 'customer_hangup').connected) return this.unconnected(seed, scenario);
    const ringMs = random.between(1000, 8000) / speed;
    const passesMs = (metadata.call_duration_secs * 1000) / speed;
    const startMs = simulator.clock() + ringMs + passesMs - metadata.call_duration_secs * 1000;
    const start = { start_time_unix_secs: Math.floor(startMs / 1000) };
    const making = { ...scenario, seed };
    const { conversation_id: id } = simulator.addConversation({ status: 'initiated', metadata: start }, making);
    await this.pace.pause(ringMs);
    if (simulator.conversations.get(id)) simulator.conversations.update(id, { status: 'in-progress' });
    await this.pace.pause(passesMs);
    await this.finish(id, seed, mishap);
  }

  private async unconnected(seed: string, scenario: Scenario): Promise<void> {
    const { simulator, speed } = this.options;
    await this.pace.pause(new Random(`${seed} ringing`).between(4000, 30_000) / speed);
    const { conversation_id: id } = simulator.addCompleteConversation({}, { ...scenario, seed });
    simulator.conversations.note(id, { isUntold: true });
    await this.sendAll(id, 'none');
    simulator.conversations.note(id, { isUntold: undefined });
  }

  /** Takes a conversation from its current state to the end, including its webhooks. */
  private async finish(id: string, seed: string, mishap: Mishap): Promise<void> {
    const { simulator, speed } = this.options;
    const status = simulator.conversations.get(id)?.status;
    if (status === undefined) return;
    if (status === 'initiated' || status === 'in-progress') simulator.endConversation(id);
    const drawnMs = new Random(`${seed} analysis time`).between(5000, 30_000) / speed;
    await this.pace.pause(simulator.faults.lateAnalysisMs ?? drawnMs);
    if (!simulator.conversations.get(id)) return;
    simulator.conversations.note(id, { isUntold: true });
    simulator.finish(id);
    if (mishap !== 'missing') await this.sendAll(id, mishap);
    simulator.conversations.note(id, { isUntold: undefined });
    await this.rewrite(id, seed);
  }

  private async sendAll(id: string, mishap: Mishap): Promise<void> {
    const { conversations } = this.options.simulator;
    const { outcome = 'customer_hangup' } = conversations.notes(id)?.scenario ?? {};
    // A call that never connected sends this webhook and no other.
    if (!endOf(outcome).connected) return this.send('call_initiation_failure', id);
    const hasAudio = conversations.get(id)?.has_audio === true;
    if (hasAudio && mishap === 'audio_first') await this.send('post_call_audio', id);
    if (mishap === 'doubled') this.pace.run(() => this.send('post_call_transcription', id));
    await this.send('post_call_transcription', id);
    if (hasAudio && mishap !== 'audio_first') await this.send('post_call_audio', id);
  }

  private async rewrite(id: string, seed: string): Promise<void> {
    const { simulator } = this.options;
    const { share, afterMs, webhook } = simulator.faults.rewrites;
    const random = new Random(`${seed} rewrite`);
    if (!random.chance(share)) return;
    await this.pace.pause(afterMs);
    if (!simulator.conversations.get(id)) return;
    if (random.chance(0.5)) simulator.analyze(id);
    else simulator.rewrite(id);
    if (webhook) await this.send('post_call_transcription', id);
  }

  /** Sends the webhooks of finished records in sequence; those that a restart interrupts are sent after it. */
  private async announceFinished(ids: readonly string[]): Promise<void> {
    const { conversations } = this.options.simulator;
    const past = ids.filter((id) => {
      const [conversation, notes] = [conversations.get(id), conversations.notes(id)];
      return conversation && notes && !isUnfinished(conversation, notes);
    });
    for (const id of past) conversations.note(id, { isUntold: true });
    for (const id of past) {
      await this.sendAll(id, 'none');
      conversations.note(id, { isUntold: undefined });
    }
  }

  private async send(type: string, id: string): Promise<void> {
    if (!this.options.simulator.conversations.notes(id)) return;
    await this.outbox.send(type, id, this.options.simulator.webhookBody(type, id));
  }
}

/** The same scenario as a chat that the customer begins and ends. */
const chatOf = (scenario: Scenario): Scenario => ({
  ...scenario,
  channel: 'chat',
  direction: 'inbound',
  outcome: 'customer_hangup',
});

function isUnfinished(conversation: Readonly<Conversation>, notes: Readonly<ConversationNotes>): boolean {
  const isLive = conversation.status === 'initiated' || conversation.status === 'in-progress';
  return isLive || notes.doneFromMs !== undefined || notes.isUntold === true;
}
