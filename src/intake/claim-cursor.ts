// Conversations with facts to apply, shared out among the loops of one lane. Other processes are kept off by locks.
import type { WaitingCandidate } from '../inbox/candidates.js';
import type { Candidate } from '../inbox/pending-facts.js';
import { batchesOf } from './batches.js';

const keyOf = ({ provider_account_id: account, identity_hash: hash }: Candidate): string =>
  `${account}|${hash.toString('hex')}`;

/** Where the line comes from, look by look (inbox/candidates.ts). */
export interface Source {
  look(): Promise<WaitingCandidate[]>;
  readonly hasMore: boolean;
  scatter(): void;
}

export class ClaimCursor {
  private waiting: WaitingCandidate[] = [];
  private readonly taken = new Set<string>();
  private looking: Promise<void> | undefined;

  constructor(
    private readonly source: Source,
    private readonly loops: number,
    /** Conversations that share a transaction at most. */
    private readonly together?: number,
  ) {}

  /** There is more than the loops that are at work have taken. */
  get hasMore(): boolean {
    return this.waiting.length > 0;
  }

  /** A transaction's worth of those that no loop has; empty: nobody waits. To be given back when they are done. */
  async take(): Promise<WaitingCandidate[]> {
    if (!this.hasMore) await this.lookOnce();
    const { hasMore } = this.source;
    const [batch = []] = batchesOf(this.waiting, { loops: this.loops, together: this.together, hasMore });
    this.waiting = this.waiting.slice(batch.length);
    for (const candidate of batch) this.taken.add(keyOf(candidate));
    return batch;
  }

  /** `applied`: how many facts; of none the conversations were locked or reserved by others. */
  giveBack(batch: WaitingCandidate[], applied: number): void {
    if (applied === 0) this.source.scatter();
    for (const candidate of batch) this.taken.delete(keyOf(candidate));
  }

  /** Loops that run dry at the same time share the look. */
  private lookOnce(): Promise<void> {
    this.looking ??= this.look().finally(() => (this.looking = undefined));
    return this.looking;
  }

  private async look(): Promise<void> {
    for (;;) {
      const found = await this.source.look();
      this.waiting = found.filter((candidate) => !this.taken.has(keyOf(candidate)));
      if (this.waiting.length > 0 || !this.source.hasMore) return;
    }
  }
}
