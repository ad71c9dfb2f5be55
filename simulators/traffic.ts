// Lets calls happen in a simulated Retell workspace, at a rate, and announces them by webhook. A call that lasts
// minutes in its own record takes seconds here (`speed`); its record begins in the past, so that it ends now.
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RetellCall } from './retell/call.js';
import type { Fields } from './records.js';
import { completeCall } from './retell/complete-call.js';
import { addHistory } from './retell/history.js';
import { endReason } from './retell/reasons.js';
import { scenarioOf } from './retell/scenarios.js';
import type { RetellSimulator } from './retell/server.js';
import { spokenUntil, transcriptFields } from './retell/speech.js';
import { webhookBody } from './retell/webhook-body.js';
import { Random } from './random.js';

/** How much happens. Shares are between 0 and 1. */
export interface TrafficOptions {
  simulator: RetellSimulator;
  webhookUrl: string;
  seed: string;
  callsPerMinute: number;
  /** How many times faster than real a call passes; 1 is real time. */
  speed: number;
  /** Finished calls at the start, announced at once. */
  history: number;
  /** Whether `transcript_updated` is sent while a call goes on; Retell does so only when asked. */
  transcriptUpdates: boolean;
  /** Share of calls whose webhooks misbehave as Retell's do at times: doubled, out of order, or no start. */
  disorder: number;
  /** Stop starting calls after so many; undefined: never. */
  maxCalls?: number;
}

/** What was sent so far. `failed`: webhooks that nobody accepted, retries included. */
export interface TrafficCounts {
  calls: number;
  delivered: number;
  failed: number;
}

type Mishap = 'none' | 'doubled' | 'reordered' | 'no_start';

/** Traffic that runs until it is stopped. */
export class Traffic {
  readonly counts: TrafficCounts = { calls: 0, delivered: 0, failed: 0 };
  private readonly abort = new AbortController();
  private readonly running = new Set<Promise<void>>();
  private readonly stopped = new Map<string, () => void>();

  constructor(private readonly options: TrafficOptions) {
    setMaxListeners(0, this.abort.signal);
    options.simulator.onStopped = (callId) => this.stopped.get(callId)?.();
  }

  /** Announces what the workspace already holds (`callIds`) or a new history, finishes what an earlier run left, goes on. */
  start(announce: readonly string[] = []): void {
    const { simulator, seed, history } = this.options;
    const unfinished = simulator.calls.heads().filter(({ head }) => isUnfinished(head));
    const past = simulator.calls.size === 0 ? addHistory(simulator, seed, history) : announce;
    this.run(async () => {
      for (const callId of past) await this.announceFinished(callId);
    });
    for (const { head: call, notes } of unfinished) this.run(() => this.finish(call.call_id, notes.seed, 'none'));
    this.run(() => this.generate());
  }

  /** Waits until nothing is under way; without `maxCalls` that is never. */
  async idle(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running);
  }

  /** Stops at once. Calls under way stay `ongoing` in the workspace. */
  async stop(): Promise<void> {
    this.abort.abort();
    await this.idle();
  }

  private run(work: () => Promise<void>): void {
    const task = work()
      .catch((error: unknown) => {
        if (!this.abort.signal.aborted) throw error;
      })
      .finally(() => this.running.delete(task));
    this.running.add(task);
  }

  private async generate(): Promise<void> {
    const { seed, callsPerMinute, maxCalls = Infinity } = this.options;
    const random = new Random(`${seed} arrivals`);
    for (let count = 1; count <= maxCalls; count += 1) {
      await this.pause(random.exponential(60_000 / callsPerMinute));
      this.counts.calls += 1;
      this.run(() => this.live(`${seed} call ${count}`));
    }
  }

  private async live(seed: string): Promise<void> {
    const { simulator, speed, disorder } = this.options;
    const random = new Random(`${seed} live`);
    const mishap = random.chance(disorder) ? random.pick<Mishap>(['doubled', 'reordered', 'no_start']) : 'none';
    const fields = scenarioOf(seed);
    const whole = completeCall(seed, fields, { baseUrl: simulator.baseUrl });
    if (whole.duration_ms === undefined) return this.unconnected(seed, fields);
    const realMs = whole.duration_ms / speed;
    const startMs = Math.floor(simulator.clock() + realMs - whole.duration_ms);
    const plan = { ...fields, direction: whole.direction, disconnection_reason: undefined };
    const begun = { ...plan, call_status: 'ongoing', start_timestamp: startMs };
    const { call_id: callId } = simulator.addCall(begun, seed);
    if (mishap !== 'no_start') this.announce('call_started', callId);
    await this.finish(callId, seed, mishap);
  }

  /** Nobody picked up: no start, no record before the end. */
  private async unconnected(seed: string, fields: Fields): Promise<void> {
    const { simulator, speed } = this.options;
    await this.pause(new Random(`${seed} ringing`).between(4000, 30_000) / speed);
    const { call_id: callId } = simulator.addCompleteCall({ ...fields, call_analysis: undefined }, seed);
    this.announce('call_ended', callId);
    await this.analyse(callId, seed);
  }

  /** From wherever a call is to its analysis. */
  private async finish(callId: string, seed: string, mishap: Mishap): Promise<void> {
    const { simulator } = this.options;
    const begun = simulator.calls.get(callId);
    if (begun?.call_status === 'ongoing') {
      await this.untilEnd(begun, seed);
      const isStillOn = simulator.calls.get(callId)?.call_status === 'ongoing';
      if (isStillOn) simulator.endCall(callId, scenarioOf(seed));
    }
    if (simulator.calls.get(callId) === undefined) return;
    const body = simulator.webhookBody('call_ended', callId);
    if (mishap !== 'reordered') this.send(body);
    if (mishap === 'doubled') this.send(body);
    await this.analyse(callId, seed);
    if (mishap === 'reordered') this.send(body);
  }

  /** Waits for the planned end or for somebody to stop the call, telling the transcript meanwhile if wanted. */
  private async untilEnd(begun: RetellCall, seed: string): Promise<void> {
    const { simulator, speed, transcriptUpdates } = this.options;
    const whole = completeCall(seed, { ...scenarioOf(seed), start_timestamp: begun.start_timestamp });
    const endMs = (begun.start_timestamp ?? 0) + (whole.duration_ms ?? 0);
    const over = new AbortController();
    const isOver = new Promise<void>((resolve) => this.stopped.set(begun.call_id, resolve));
    if (transcriptUpdates) this.run(() => this.tellTranscript(begun, whole, speed, over.signal));
    await Promise.race([this.pause(endMs - simulator.clock()), isOver]);
    over.abort();
    this.stopped.delete(begun.call_id);
  }

  private async tellTranscript(begun: RetellCall, whole: RetellCall, speed: number, over: AbortSignal): Promise<void> {
    const items = whole.transcript_with_tool_calls ?? [];
    let spokenMs = 0;
    for (const item of whole.transcript_object ?? []) {
      const endMs = 'words' in item ? (item.words.at(-1)?.end ?? 0) * 1000 : 0;
      await this.pause((endMs - spokenMs) / speed);
      if (over.aborted) return;
      spokenMs = endMs;
      const soFar = { ...begun, ...transcriptFields(spokenUntil(items, endMs)) };
      this.send(webhookBody('transcript_updated', soFar));
    }
  }

  private async analyse(callId: string, seed: string): Promise<void> {
    const { simulator, speed } = this.options;
    await this.pause(new Random(`${seed} analysis time`).between(10_000, 60_000) / speed);
    if (simulator.calls.get(callId) === undefined) return;
    simulator.analyze(callId);
    await this.sendNow(simulator.webhookBody('call_analyzed', callId));
  }

  /** The three webhooks of a call that is over, one after the other. */
  private async announceFinished(callId: string): Promise<void> {
    const { simulator } = this.options;
    const call = simulator.calls.get(callId);
    if (!call || isUnfinished(call)) return;
    const isConnected = endReason(call.disconnection_reason ?? '').connected;
    for (const event of [...(isConnected ? ['call_started'] : []), 'call_ended', 'call_analyzed']) {
      await this.sendNow(simulator.webhookBody(event, callId));
    }
  }

  private announce(event: string, callId: string): void {
    this.send(this.options.simulator.webhookBody(event, callId));
  }

  /** Webhooks do not wait for each other, as at Retell. */
  private send(body: string): void {
    this.run(() => this.sendNow(body));
  }

  private async sendNow(body: string): Promise<void> {
    const { simulator, webhookUrl } = this.options;
    const { status } = await simulator.sender.send(webhookUrl, body, this.abort.signal);
    if (status >= 200 && status < 300) this.counts.delivered += 1;
    else this.counts.failed += 1;
  }

  private async pause(ms: number): Promise<void> {
    await sleep(Math.max(0, ms), undefined, { signal: this.abort.signal });
  }
}

function isUnfinished(call: Readonly<RetellCall>): boolean {
  return call.call_status === 'ongoing' || call.call_analysis === undefined;
}
