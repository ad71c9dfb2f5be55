// A run that cannot replay its history after a deploy fails (temporal-worker.ts). Its conversation gets a new one, which reads
// Postgres and goes on.
import { Inject, Injectable } from '@nestjs/common';
import { errorFields, Log } from '../common/log.js';
import { LoopedWork } from '../common/work-loop.js';
import { WorkerDatabase } from '../database/database.js';
import { startMissingAmong } from './missing-workflows.js';
import { CONVERSATIONS, WorkflowConnection, type WorkflowKind } from './workflow-kind.js';

const ROUND_MS = 15_000;
/** Temporal lists with some delay. What failed earlier, while no worker was there, is found by the walk at its start. */
const LOOK_BACK_MS = 300_000;
/** Of one round; the rest comes with the next. */
const MOST = 500;
/** Remembered within the time that is looked back; more are replaced again, which harms nothing. */
const MOST_KNOWN = 100_000;

@Injectable()
export class FailedRuns extends LoopedWork {
  /** Runs that have successors → when they ended, epoch milliseconds: Temporal lists them again in each round. */
  private readonly known = new Map<string, number>();

  constructor(
    private readonly database: WorkerDatabase,
    @Inject(CONVERSATIONS) private readonly conversations: WorkflowKind,
    private readonly temporal: WorkflowConnection,
    private readonly log: Log,
  ) {
    super(1, ROUND_MS);
  }

  override nudge(): void {
    // Not by news of conversations: it has its own pace.
  }

  /** Replaces at most `limit` runs that have failed since the last round; how many conversations have new ones. */
  async round(limit = MOST): Promise<number> {
    const { database, conversations: kind } = this;
    const { workflows } = this.temporal;
    if (workflows === null) return 0;
    const since = Date.now() - LOOK_BACK_MS;
    this.forget(since);
    const isKnown = (runId: string): boolean => this.known.has(runId);
    const failed = await workflows.failedSince(kind.type, new Date(since), { limit, isKnown });
    const ids = new Set(failed.flatMap(({ workflowId }) => kind.subjectOf(workflowId) ?? []));
    const started = ids.size === 0 ? 0 : await startMissingAmong(database, workflows, { kind, ids: [...ids] });
    for (const { runId, closedAt } of failed) this.known.set(runId, closedAt);
    return started;
  }

  protected override async runRound(): Promise<boolean> {
    try {
      const started = await this.round();
      if (started > 0)
        this.log.warn('runs of conversations had failed; they have new ones', { conversations: started });
    } catch (error) {
      // Also where Temporal forbids to list: the walk over everything open finds them.
      this.log.debug('looking for failed runs failed', { err: errorFields(error) });
    }
    return false;
  }

  private forget(until: number): void {
    if (this.known.size > MOST_KNOWN) this.known.clear();
    for (const [runId, closedAt] of this.known) if (closedAt < until) this.known.delete(runId);
  }
}
