// A run that cannot replay its history after a deploy fails (temporal-worker.ts). Its conversation gets a new one, which reads
// Postgres and goes on.
import { Inject, Injectable } from '@nestjs/common';
import { errorFields, Log } from '../common/log.js';
import { WorkLoop } from '../common/work-loop.js';
import { WorkerDatabase } from '../database/database.js';
import { startMissingAmong } from './missing-workflows.js';
import { CONVERSATIONS, WorkflowConnection, type WorkflowKind } from './workflow-kind.js';

const ROUND_MS = 15_000;
/** Temporal lists with some delay. What failed earlier, while no worker was there, is found by the walk at its start. */
const LOOK_BACK_MS = 300_000;
/** The rest comes with the next round. */
const MOST = 500;

@Injectable()
export class FailedRuns {
  private readonly loop = new WorkLoop(() => this.turn(), ROUND_MS);

  constructor(
    private readonly database: WorkerDatabase,
    @Inject(CONVERSATIONS) private readonly conversations: WorkflowKind,
    private readonly temporal: WorkflowConnection,
    private readonly log: Log,
  ) {}

  start(): void {
    this.loop.start();
  }

  nudge(): void {
    // Not by news of conversations: it has its own pace.
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  private async turn(): Promise<boolean> {
    const { database, conversations: kind, log } = this;
    const { workflows } = this.temporal;
    if (workflows === null) return false;
    try {
      const failed = await workflows.failedSince(kind.type, new Date(Date.now() - LOOK_BACK_MS), MOST);
      const ids = failed.flatMap((workflowId) => kind.subjectOf(workflowId) ?? []);
      if (ids.length === 0) return false;
      const started = await startMissingAmong(database, workflows, { kind, ids });
      if (started > 0) log.warn('runs of conversations had failed; they have new ones', { conversations: started });
    } catch (error) {
      // Also where Temporal forbids to list: the walk over everything open finds them.
      log.debug('looking for failed runs failed', { err: errorFields(error) });
    }
    return false;
  }
}
