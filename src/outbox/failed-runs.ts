// A run that cannot replay its history after a deploy fails (temporal-worker.ts). Its entity gets a new run, which reads Postgres
// and continues.
import { Injectable } from '@nestjs/common';
import { errorFields, Log } from '../common/log.js';
import { LoopedWork } from '../common/work-loop.js';
import { WorkerDatabase } from '../database/database.js';
import { Contact } from './contact.js';
import { startEach, tryAgain } from './start-missing.js';
import { WorkflowConnection, type WorkflowKind, type Workflows } from './workflow-kind.js';
import { WorkflowKinds } from './workflow-kinds.js';

const ROUND_MS = 15_000;
/** Temporal's lists lag. The reconciler's pass at connection finds runs that failed earlier, while no worker was running. */
const LOOK_BACK_MS = 300_000;
/** Runs of each kind per round; the next round takes the rest. */
const MOST = 500;
const CONCURRENCY = 16;
/** Most remembered runs. Beyond that all are forgotten, and replacing a run twice is harmless. */
const MOST_KNOWN = 100_000;

@Injectable()
export class FailedRuns extends LoopedWork {
  /** Runs already replaced → when they ended, epoch milliseconds. Temporal lists them again in each round. */
  private readonly known = new Map<string, number>();

  constructor(
    private readonly database: WorkerDatabase,
    private readonly kinds: WorkflowKinds,
    private readonly temporal: WorkflowConnection,
    private readonly contact: Contact,
    private readonly log: Log,
  ) {
    super(1, ROUND_MS);
  }

  /** Replaces recently failed runs, at most `limit` of each kind; resolves with the number of new runs. */
  async round(limit = MOST): Promise<number> {
    const { workflows } = this.temporal;
    if (workflows === null) return 0;
    const since = Date.now() - LOOK_BACK_MS;
    this.forget(since);
    let started = 0;
    for (const kind of this.kinds.all) started += await this.replace(workflows, kind, { since, limit });
    return started;
  }

  private async replace(
    workflows: Workflows,
    kind: WorkflowKind,
    { since, limit }: { since: number; limit: number },
  ): Promise<number> {
    const isKnown = (runId: string): boolean => this.known.has(runId);
    const failed = await workflows.failedSince(kind.type, new Date(since), { limit, isKnown });
    const ids = new Set(failed.flatMap(({ workflowId }) => kind.entityIdOf(workflowId) ?? []));
    const due = await this.database.withScope('all', (tx) => kind.dueAmong(tx, [...ids]));
    const result = await startEach(due, { workflows, contact: this.contact, concurrency: CONCURRENCY });
    await tryAgain(this.database, kind, result.failed);
    for (const { runId, closedAt } of failed) this.known.set(runId, closedAt);
    return result.started;
  }

  protected override async runRound(): Promise<boolean> {
    try {
      const started = await this.round();
      if (started > 0) this.log.warn('runs of workflows had failed; they have new ones', { workflows: started });
    } catch (error) {
      // Temporal may forbid listing. Then the reconciler finds them.
      this.log.debug('looking for failed runs failed', { err: errorFields(error) });
    }
    return false;
  }

  private forget(until: number): void {
    if (this.known.size > MOST_KNOWN) this.known.clear();
    for (const [runId, closedAt] of this.known) if (closedAt < until) this.known.delete(runId);
  }
}
