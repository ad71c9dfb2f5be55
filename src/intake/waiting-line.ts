// Conversations with facts to apply, shared out among the lanes of this process. Other processes are kept off by locks.
import type { Candidate, WaitingCandidate } from '../inbox/pending.js';
import { batchesOf } from './batches.js';

const keyOf = ({ provider_account_id: account, identity_hash: hash }: Candidate): string =>
  `${account}|${hash.toString('hex')}`;

export class WaitingLine {
  private waiting: WaitingCandidate[] = [];
  private readonly taken = new Set<string>();
  private looking: Promise<void> | undefined;
  /** The oldest facts are all of conversations that cannot be had now: the next look goes behind them. */
  private blocked = false;

  constructor(
    /** Asks Postgres who waits, the longest first; among the oldest facts, or among all. */
    private readonly look: (among: 'oldest' | 'all') => Promise<WaitingCandidate[]>,
    private readonly lanes: number,
  ) {}

  /** There is more than the lanes that are at work have taken. */
  get hasMore(): boolean {
    return this.waiting.length > 0;
  }

  /** A transaction's worth of those that no lane has; empty: nobody waits. To be given back when they are done. */
  async take(): Promise<WaitingCandidate[]> {
    if (!this.hasMore) await this.lookOnce();
    const [batch = []] = batchesOf(this.waiting, this.lanes);
    this.waiting = this.waiting.slice(batch.length);
    for (const candidate of batch) this.taken.add(keyOf(candidate));
    return batch;
  }

  /** `applied`: how many facts; of none the conversations were locked or reserved by others. */
  giveBack(batch: WaitingCandidate[], applied: number): void {
    this.blocked ||= applied === 0;
    for (const candidate of batch) this.taken.delete(keyOf(candidate));
  }

  /** Lanes that run dry at the same time share the look. */
  private lookOnce(): Promise<void> {
    this.looking ??= this.look(this.blocked ? 'all' : 'oldest')
      .then((found) => {
        this.waiting = found.filter((candidate) => !this.taken.has(keyOf(candidate)));
        this.blocked = found.length > 0 && this.waiting.length === 0;
      })
      .finally(() => (this.looking = undefined));
    return this.looking;
  }
}
