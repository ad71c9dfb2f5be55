// A lane of intake: some loops over conversations whose facts need nothing but Postgres.
import type { Log } from '../common/log.js';
import { LoopedWork } from '../common/work-loop.js';
import type { WorkerDatabase } from '../database/database.js';
import { Candidates } from '../inbox/candidates.js';
import type { Lane as LaneName } from '../inbox/lanes.js';
import type { Candidate } from '../inbox/pending-facts.js';
import type { Attempts } from './attempt.js';
import { factsOf } from './attempt.js';
import { blameOf } from './fact-failures.js';
import type { PutOff } from './put-off.js';
import { ClaimCursor } from './claim-cursor.js';

export const POLL_MS = 1_000;
/** Of one look: what comes meanwhile is found by the next, so that nobody waits for more than this. */
const CANDIDATES = 16;
export const FACTS_AT_ONCE = 200;

interface LaneDependencies {
  database: WorkerDatabase;
  attempts: Attempts;
  putOff: PutOff;
  log: Log;
}

interface Shape {
  name: LaneName;
  /** Transactions under way at once: one computes here while the other is with Postgres. More only make the first wait. */
  loops: number;
  /** Conversations that share a transaction at most. */
  together?: number;
}

export class Lane extends LoopedWork {
  private readonly line: ClaimCursor;
  private readonly wanted;

  constructor(
    private readonly deps: LaneDependencies,
    { name, loops, together }: Shape,
  ) {
    super(loops, POLL_MS);
    this.line = new ClaimCursor(new Candidates(deps.database, name, CANDIDATES), loops, together);
    this.wanted = { lanes: [name], limit: FACTS_AT_ONCE };
  }

  /** One turn of a loop: a transaction's worth of what waits. Resolves with how many facts were applied. */
  async round(): Promise<number> {
    const batch = await this.line.take();
    if (batch.length === 0) return 0;
    if (this.line.hasMore) this.nudge();
    let applied = 0;
    try {
      applied = await this.applyOrBlame(batch);
      return applied;
    } finally {
      this.line.giveBack(batch, applied);
    }
  }

  protected override async runRound(): Promise<boolean> {
    try {
      return (await this.round()) > 0 || this.line.hasMore;
    } catch (error) {
      this.deps.log.error('intake round failed; trying again', {}, error);
      return false;
    }
  }

  /** A batch that fails is taken apart: conversation by conversation, then fact by fact. */
  private async applyOrBlame(candidates: Candidate[]): Promise<number> {
    const { attempts, putOff } = this.deps;
    try {
      const requests = await Promise.all(candidates.map((candidate) => attempts.requestOf(candidate)));
      return factsOf(await attempts.together(requests, { wait: false, ...this.wanted }));
    } catch (error) {
      const blame = blameOf(error);
      if (blame === 'away') throw error;
      const [first, ...others] = candidates;
      if (first === undefined) return 0;
      if (others.length === 0 && blame === 'all') return putOff.conversation(first, this.wanted.lanes, error);
      if (others.length === 0) return this.oneByOne(first);
      let applied = 0;
      for (const candidate of candidates) applied += await this.applyOrBlame([candidate]);
      return applied;
    }
  }

  /** A conversation's facts are tried alone, so that the bad one is counted and its neighbours are applied. */
  private async oneByOne(candidate: Candidate): Promise<number> {
    const { attempts, putOff } = this.deps;
    const { lanes } = this.wanted;
    let applied = 0;
    for (;;) {
      try {
        const request = await attempts.requestOf(candidate);
        const facts = factsOf(await attempts.together([request], { wait: false, lanes, limit: 1 }));
        if (facts === 0) return applied;
        applied += facts;
      } catch (error) {
        const blame = blameOf(error);
        if (blame === 'away') throw error;
        if (blame === 'all') return applied + (await putOff.conversation(candidate, lanes, error));
        await putOff.firstFact(candidate, lanes, error);
      }
    }
  }
}
