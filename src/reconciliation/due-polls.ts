// The loop that polls accounts when they are due: several at a time, and each account by one worker only.
import { Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../common/errors.js';
import { publicId } from '../common/ids.js';
import { errorFields, Log } from '../common/log.js';
import { WorkLoop } from '../common/work-loop.js';
import { LivePoll, type PollOutcome } from './live-poll.js';
import { nextPollMs } from './next-poll.js';
import { LEASE_MS, type ClaimedPoll, PollLeases } from './poll-leases.js';

/** Pause between two searches for due polls, milliseconds. */
const REST_MS = 500;
/** Concurrent polls in one worker. */
const MAX_POLLS = 32;
/** Concurrent polls of one client: providers that hang must leave slots to others. */
const MAX_POLLS_OF_CLIENT = 16;
const POLL_TIMEOUT_MS = 60_000;
/** How long a stopping worker waits for polls that are running. */
const STOP_MS = 3_000;

interface RunningPoll {
  claimed: ClaimedPoll;
  /** Until when the lease is certainly ours, by the monotonic clock (`performance.now()`). */
  heldUntil: number;
  lost: AbortController;
  ended: Promise<void>;
}

@Injectable()
export class DuePolls {
  private readonly loop = new WorkLoop(() => this.turn(), REST_MS);
  /** May hold an account twice: a poll that has lost its lease stays until its provider has answered. */
  private readonly running = new Set<RunningPoll>();
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

  /** Waits for running polls. One whose provider does not answer in time is left; its lease expires by itself. */
  async stop(): Promise<void> {
    this.stopping.abort();
    const polls = this.loop.stop().then(() => Promise.all([...this.running].map(({ ended }) => ended)));
    await Promise.race([polls, sleep(STOP_MS, undefined, { ref: false })]);
    clearInterval(this.renewal);
  }

  private async turn(): Promise<boolean> {
    const most = MAX_POLLS - this.running.size;
    if (most === 0 || this.stopping.signal.aborted) return false;
    const from = performance.now();
    try {
      const due = await this.leases.claim({ most, mostOfClient: MAX_POLLS_OF_CLIENT, running: this.countByClient() });
      for (const claimed of due) this.begin(claimed, from + LEASE_MS);
    } catch (error) {
      this.log.error('finding accounts to poll failed; trying again', {}, error);
    }
    // Each poll that ends nudges the loop.
    return false;
  }

  private countByClient(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { claimed } of this.running) counts.set(claimed.clientId, (counts.get(claimed.clientId) ?? 0) + 1);
    return counts;
  }

  private begin(claimed: ClaimedPoll, heldUntil: number): void {
    const lost = new AbortController();
    const one: RunningPoll = { claimed, heldUntil, lost, ended: Promise.resolve() };
    this.running.add(one);
    one.ended = this.run(claimed, lost.signal)
      .catch((error: unknown) => {
        // Its lease expires by itself, and then the account is polled again.
        if (!this.stopping.signal.aborted) this.log.error('the result of a poll is lost', idOf(claimed), error);
      })
      .finally(() => {
        this.running.delete(one);
        this.loop.nudge();
      });
  }

  private async run(claimed: ClaimedPoll, lost: AbortSignal): Promise<void> {
    const { leases, poll } = this;
    const signal = AbortSignal.any([lost, this.stopping.signal, AbortSignal.timeout(POLL_TIMEOUT_MS)]);
    const outcome = await poll
      .poll(claimed.accountId, signal)
      .catch((error: unknown) => this.failedOutcome(claimed, error, signal));
    if (lost.aborted) return;
    if (this.stopping.signal.aborted) return leases.release(claimed);
    const failed = outcome.live === null;
    const failures = failed ? claimed.failures + 1 : 0;
    const nextMs = nextPollMs({ ...claimed, ...outcome, failures }, Math.random());
    await leases.finish(claimed, { ...outcome, failed, nextMs });
  }

  /** The provider's failures are outcomes of the poll itself; this one is our own failure, or the timeout. */
  private failedOutcome(claimed: ClaimedPoll, error: unknown, signal: AbortSignal): PollOutcome {
    if (!signal.aborted) this.log.error('a poll failed; trying again', idOf(claimed), error);
    const ours = error instanceof AppError ? error.code : 'internal';
    return { live: null, added: 0, asked: 0, problem: signal.aborted ? 'timed_out' : ours, retryAfterMs: null };
  }

  /** Renews the leases, and aborts polls that have lost theirs or may have. */
  private async renew(): Promise<void> {
    const held = [...this.running];
    if (held.length === 0) return;
    const from = performance.now();
    for (const { heldUntil, lost } of held) if (heldUntil <= from) lost.abort();
    try {
      const kept = await this.leases.renew(held.map(({ claimed }) => claimed));
      for (const one of held) {
        if (kept.has(one.claimed)) one.heldUntil = from + LEASE_MS;
        else one.lost.abort();
      }
    } catch (error) {
      this.log.warn('renewing the leases of polls failed; trying again', { err: errorFields(error) });
    }
  }
}

const idOf = ({ accountId }: ClaimedPoll): { provider_account_id: string } => ({
  provider_account_id: publicId('providerAccount', accountId),
});
