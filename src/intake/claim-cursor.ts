// Distributes conversations with pending facts among the loops of a lane. Locks keep other processes out.
import type { WaitingCandidate } from '../inbox/candidates.js';
import type { Candidate } from '../inbox/pending-facts.js';
import { batchesOf } from './batches.js';

const keyOf = ({ provider_account_id: account, identity_hash: hash }: Candidate): string =>
  `${account}|${hash.toString('hex')}`;

/** Finds waiting conversations, query by query (inbox/candidates.ts). */
export interface CandidateSource {
  next(): Promise<WaitingCandidate[]>;
  readonly hasMore: boolean;
  scatter(): void;
}

export class ClaimCursor {
  private waiting: WaitingCandidate[] = [];
  private readonly claimed = new Set<string>();
  private finding: Promise<void> | undefined;

  constructor(
    private readonly source: CandidateSource,
    private readonly loops: number,
    /** Most conversations per transaction. */
    private readonly maxConversations?: number,
  ) {}

  /** Conversations have been found that no loop has claimed. */
  get hasMore(): boolean {
    return this.waiting.length > 0;
  }

  /** Claims conversations for one transaction; empty: none waits. Call {@link release} afterwards. */
  async claim(): Promise<WaitingCandidate[]> {
    if (!this.hasMore) await this.find();
    const { hasMore } = this.source;
    const [batch = []] = batchesOf(this.waiting, {
      loops: this.loops,
      maxConversations: this.maxConversations,
      hasMore,
    });
    this.waiting = this.waiting.slice(batch.length);
    for (const candidate of batch) this.claimed.add(keyOf(candidate));
    return batch;
  }

  /** `applied`: the number of applied facts; 0: the conversations were locked or reserved by others. */
  release(batch: WaitingCandidate[], applied: number): void {
    if (applied === 0) this.source.scatter();
    for (const candidate of batch) this.claimed.delete(keyOf(candidate));
  }

  /** Idle loops share one query. */
  private find(): Promise<void> {
    this.finding ??= this.findUnclaimed().finally(() => (this.finding = undefined));
    return this.finding;
  }

  private async findUnclaimed(): Promise<void> {
    for (;;) {
      const found = await this.source.next();
      this.waiting = found.filter((candidate) => !this.claimed.has(keyOf(candidate)));
      if (this.waiting.length > 0 || !this.source.hasMore) return;
    }
  }
}
