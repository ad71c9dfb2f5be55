// The loop that looks at the lists of polled accounts when they are due: several at a time, each account once over all workers.
import { Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../common/errors.js';
import { publicId } from '../common/ids.js';
import { errorFields, Log } from '../common/log.js';
import { WorkLoop } from '../common/work-loop.js';
import { LivePoll, type PollView } from './live-poll.js';
import { nextLookMs } from './next-look.js';
import { LEASE_MS, type ClaimedLook, PollLeases } from './poll-leases.js';

/** How late a look may begin, milliseconds. */
const REST_MS = 500;
/** Looks under way in one worker. */
const LOOKS = 32;
/** Of them those of one client: providers that hang must leave places to others. */
const LOOKS_OF_CLIENT = 16;
const LONGEST_LOOK_MS = 60_000;
/** A worker that stops waits so long for the answers that are under way. */
const STOP_MS = 3_000;

interface UnderWay {
  look: ClaimedLook;
  /** Milliseconds of the monotonic clock until which the lease is ours for certain. */
  heldUntil: number;
  lost: AbortController;
  ended: Promise<void>;
}

@Injectable()
export class DuePolls {
  private readonly loop = new WorkLoop(() => this.turn(), REST_MS);
  /** An account may be in it twice: a look that has lost its lease is there until its provider has answered. */
  private readonly underWay = new Set<UnderWay>();
  private readonly stopping = new AbortController();
  private renewal: NodeJS.Timeout | undefined;

  constructor(
    private readonly leases: PollLeases,
    private readonly poll: LivePoll,
    private readonly log: Log,
  ) {}

  start(): void {
    this.renewal = setInterval(() => void this.renew(), LEASE_MS / 4);
    this.loop.start();
  }

  nudge(): void {
    this.loop.nudge();
  }

  /** A look whose provider does not answer in time is left behind with its lease, which ends by itself. */
  async stop(): Promise<void> {
    this.stopping.abort();
    const looks = this.loop.stop().then(() => Promise.all([...this.underWay].map(({ ended }) => ended)));
    await Promise.race([looks, sleep(STOP_MS, undefined, { ref: false })]);
    clearInterval(this.renewal);
  }

  private async turn(): Promise<boolean> {
    const most = LOOKS - this.underWay.size;
    if (most === 0 || this.stopping.signal.aborted) return false;
    const from = performance.now();
    try {
      const claimed = await this.leases.claim({ most, mostOfClient: LOOKS_OF_CLIENT, underWay: this.byClient() });
      for (const look of claimed) this.begin(look, from + LEASE_MS);
    } catch (error) {
      this.log.error('finding accounts to poll failed; trying again', {}, error);
    }
    // Each look that ends asks for the next turn.
    return false;
  }

  private byClient(): Map<string, number> {
    const looks = new Map<string, number>();
    for (const { look } of this.underWay) looks.set(look.clientId, (looks.get(look.clientId) ?? 0) + 1);
    return looks;
  }

  private begin(look: ClaimedLook, heldUntil: number): void {
    const lost = new AbortController();
    const one: UnderWay = { look, heldUntil, lost, ended: Promise.resolve() };
    this.underWay.add(one);
    one.ended = this.run(look, lost.signal)
      .catch((error: unknown) => {
        // Its lease ends by itself, and then somebody looks again.
        if (!this.stopping.signal.aborted) this.log.error('the result of a poll is lost', idOf(look), error);
      })
      .finally(() => {
        this.underWay.delete(one);
        this.loop.nudge();
      });
  }

  private async run(look: ClaimedLook, lost: AbortSignal): Promise<void> {
    const { leases, poll } = this;
    const signal = AbortSignal.any([lost, this.stopping.signal, AbortSignal.timeout(LONGEST_LOOK_MS)]);
    const view = await poll.poll(look.accountId, signal).catch((error: unknown) => this.viewOf(look, error, signal));
    if (lost.aborted) return;
    if (this.stopping.signal.aborted) return leases.release(look);
    const failed = view.live === null;
    const failures = failed ? look.failures + 1 : 0;
    const nextMs = nextLookMs({ ...look, ...view, failures }, Math.random());
    await leases.finish(look, { ...view, failed, nextMs });
  }

  /** What the provider does not answer is in the result already: this is our own failure, or the end of its time. */
  private viewOf(look: ClaimedLook, error: unknown, signal: AbortSignal): PollView {
    if (!signal.aborted) this.log.error('a poll failed; trying again', idOf(look), error);
    const ours = error instanceof AppError ? error.code : 'internal';
    return { live: null, added: 0, asked: 0, problem: signal.aborted ? 'timed_out' : ours, retryAfterMs: null };
  }

  /** Keeps the leases, and ends looks that have lost theirs or may have. */
  private async renew(): Promise<void> {
    const held = [...this.underWay];
    if (held.length === 0) return;
    const from = performance.now();
    for (const { heldUntil, lost } of held) if (heldUntil <= from) lost.abort();
    try {
      const kept = await this.leases.renew(held.map(({ look }) => look));
      for (const one of held) {
        if (kept.has(one.look)) one.heldUntil = from + LEASE_MS;
        else one.lost.abort();
      }
    } catch (error) {
      this.log.warn('keeping the leases of polls failed; trying again', { err: errorFields(error) });
    }
  }
}

const idOf = ({ accountId }: ClaimedLook): { provider_account_id: string } => ({
  provider_account_id: publicId('providerAccount', accountId),
});
