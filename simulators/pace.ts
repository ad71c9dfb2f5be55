// Concurrent tasks that run until they are stopped, and the webhooks that they send.
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bound } from './bound.js';
import type { Faults } from './faults.js';
import { Draws, Random } from './random.js';

/** Tasks that can be awaited and stopped together. */
export class Pace {
  private readonly abort = new AbortController();
  private readonly running = new Set<Promise<void>>();

  constructor() {
    setMaxListeners(0, this.abort.signal);
  }

  get signal(): AbortSignal {
    return this.abort.signal;
  }

  /** Runs work in the background. Errors after a stop are ignored. */
  run(work: () => Promise<void>): void {
    const task = work()
      .catch((error: unknown) => {
        if (!this.abort.signal.aborted) throw error;
      })
      .finally(() => this.running.delete(task));
    this.running.add(task);
  }

  /** Waits for this many milliseconds; rejects when stopped. */
  async pause(ms: number): Promise<void> {
    // A timer may fire up to a millisecond early, which would cut a conversation short.
    await sleep(Math.max(0, ms) + 1, undefined, { signal: this.abort.signal });
  }

  /**
   * Calls `begin` at random times, `perMinute()` times a minute on average (asked each time), until `count` is reached.
   */
  arrive(seed: string, perMinute: () => number, count: number, begin: (seed: string) => Promise<void>): void {
    const random = new Random(`${seed} arrivals`);
    this.run(async () => {
      for (let number = 1; number <= count; number += 1) {
        await this.pause(random.exponential(60_000 / perMinute()));
        this.run(() => begin(`${seed} call ${number}`));
      }
    });
  }

  /** Waits until nothing is in progress. */
  async idle(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running);
  }

  /** Stops immediately. */
  async stop(): Promise<void> {
    this.abort.abort();
    await this.idle();
  }
}

/**
 * What was sent so far. `failed`: webhooks not accepted after all retries; `withheld`: not sent, because of a fault.
 */
export interface TrafficCounts {
  conversations: number;
  delivered: number;
  failed: number;
  withheld: number;
}

/** What a fault did to one webhook. */
export interface WebhookHit {
  event: string;
  id: string;
  fault: 'missing' | 'duplicated' | 'late';
}

const FAULTS: readonly WebhookHit['fault'][] = ['missing', 'duplicated', 'late'];

/** Sends one webhook with the provider's own retries; resolves with the last status. */
export type Send = (type: string, body: string, signal: AbortSignal, isRetried: boolean) => Promise<{ status: number }>;

/** Sends the webhooks of traffic, independently of each other, and applies their faults. */
export class Outbox {
  readonly counts: TrafficCounts = { conversations: 0, delivered: 0, failed: 0, withheld: 0 };
  /** The webhooks that a fault hit. */
  readonly hits: WebhookHit[] = [];
  private readonly draws: Draws;

  constructor(
    private readonly pace: Pace,
    private readonly faults: Faults,
    private readonly sendOnce: Send,
    seed: string,
  ) {
    this.draws = new Draws(`${seed} webhooks`);
  }

  /** Sends in the background. */
  post(event: string, id: string, body: string): void {
    this.pace.run(() => this.send(event, id, body));
  }

  /** Sends, and resolves when the webhook was accepted or given up; a late one continues in the background. */
  async send(event: string, id: string, body: string): Promise<void> {
    const hits = this.draw(event, id);
    if (hits.has('missing')) {
      this.counts.withheld += 1;
      return;
    }
    if (hits.has('duplicated')) this.pace.run(() => this.deliver(event, body));
    if (hits.has('late')) {
      this.pace.run(async () => {
        await this.pace.pause(this.faults.webhooks.lateMs);
        await this.deliver(event, body);
      });
      return;
    }
    await this.deliver(event, body);
  }

  /** The faults of one webhook; they depend on its event and record, not on when it is sent. */
  private draw(event: string, id: string): Set<WebhookHit['fault']> {
    const random = this.draws.next(`${event} ${id}`);
    const hits = FAULTS.filter((fault) => random.chance(this.faults.webhooks[fault]));
    this.hits.push(...hits.map((fault) => ({ event, id, fault })));
    return new Set(hits);
  }

  private async deliver(event: string, body: string): Promise<void> {
    const { status } = await this.sendOnce(event, body, this.pace.signal, !this.faults.webhooks.noRetry);
    if (status >= 200 && status < 300) this.counts.delivered += 1;
    else this.counts.failed += 1;
  }
}

/** Amount and kind of traffic. Shares are between 0 and 1. */
export interface TrafficOptions {
  webhookUrl: string;
  seed: string;
  perMinute: number;
  /** How many times faster than real time a conversation runs; 1 is real time. */
  speed: number;
  /** Finished conversations at the start, announced immediately. */
  history: number;
  /** Share of conversations with irregular webhooks: duplicated, out of order, or the first one missing. */
  disorder: number;
  /** The number of conversations after which no more start; undefined: no limit. */
  maxConversations?: number;
  /** The limit of recordings; undefined: no limit. */
  bound?: Bound;
}
