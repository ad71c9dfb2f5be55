// A lane of intake whose facts need only PostgreSQL: a few loops that apply the facts of waiting conversations.
import type { Log } from '../common/log.js';
import { LoopedWork } from '../common/work-loop.js';
import type { WorkerDatabase } from '../database/database.js';
import { Candidates } from '../inbox/candidates.js';
import type { Lane as LaneName } from '../inbox/lanes.js';
import type { Candidate } from '../inbox/pending-facts.js';
import type { Applier } from './applier.js';
import { countFacts } from './applier.js';
import { failureScopeOf } from './fact-failures.js';
import type { FailureRecorder } from './failure-recorder.js';
import { ClaimCursor } from './claim-cursor.js';

export const POLL_MS = 1_000;
/** Conversations per query. Few, so that newly arrived ones are found soon. */
const CANDIDATES = 16;
export const FACTS_AT_ONCE = 200;

interface LaneDependencies {
  database: WorkerDatabase;
  applier: Applier;
  failures: FailureRecorder;
  log: Log;
}

interface LaneOptions {
  name: LaneName;
  /** Concurrent transactions: one computes while another waits for PostgreSQL. */
  loops: number;
  /** Most conversations per transaction. */
  maxConversations?: number;
}

export class Lane extends LoopedWork {
  private readonly claims: ClaimCursor;
  private readonly selection;

  constructor(
    private readonly deps: LaneDependencies,
    { name, loops, maxConversations }: LaneOptions,
  ) {
    super(loops, POLL_MS);
    this.claims = new ClaimCursor(new Candidates(deps.database, name, CANDIDATES), loops, maxConversations);
    this.selection = { lanes: [name], limit: FACTS_AT_ONCE };
  }

  /** One round of a loop: applies one batch. Resolves with the number of applied facts. */
  async round(): Promise<number> {
    const batch = await this.claims.claim();
    if (batch.length === 0) return 0;
    if (this.claims.hasMore) this.nudge();
    let applied = 0;
    try {
      applied = await this.applyOrRecordFailure(batch);
      return applied;
    } finally {
      this.claims.release(batch, applied);
    }
  }

  protected override async runRound(): Promise<boolean> {
    try {
      return (await this.round()) > 0 || this.claims.hasMore;
    } catch (error) {
      this.deps.log.error('intake round failed, retrying', {}, error);
      return false;
    }
  }

  /** If a batch fails, its conversations are applied one by one, then their facts one by one. */
  private async applyOrRecordFailure(candidates: Candidate[]): Promise<number> {
    const { applier, failures } = this.deps;
    try {
      const requests = await Promise.all(candidates.map((candidate) => applier.requestOf(candidate)));
      return countFacts(await applier.applyBatch(requests, { wait: false, ...this.selection }));
    } catch (error) {
      const scope = failureScopeOf(error);
      if (scope === 'unavailable') throw error;
      const [first, ...others] = candidates;
      if (first === undefined) return 0;
      if (others.length === 0 && scope === 'all') {
        await failures.recordForConversation(first, this.selection.lanes, error);
        return 0;
      }
      if (others.length === 0) return this.applyOneByOne(first);
      let applied = 0;
      for (const candidate of candidates) applied += await this.applyOrRecordFailure([candidate]);
      return applied;
    }
  }

  /** Applies the facts of a conversation one by one, so that only the bad one counts as failed. */
  private async applyOneByOne(candidate: Candidate): Promise<number> {
    const { applier, failures } = this.deps;
    const { lanes } = this.selection;
    let applied = 0;
    for (;;) {
      try {
        const request = await applier.requestOf(candidate);
        const facts = countFacts(await applier.applyBatch([request], { wait: false, lanes, limit: 1 }));
        if (facts === 0) return applied;
        applied += facts;
      } catch (error) {
        const scope = failureScopeOf(error);
        if (scope === 'unavailable') throw error;
        if (scope === 'all') {
          await failures.recordForConversation(candidate, lanes, error);
          return applied;
        }
        await failures.recordForFirstFact(candidate, lanes, error);
      }
    }
  }
}
