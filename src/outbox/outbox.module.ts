// How anything reaches Temporal: rows that are written with each change, and a walk over everything that has work.
import { Module } from '@nestjs/common';
import { Log } from '../common/log.js';
import { WorkerDatabase } from '../database/database.js';
import { AccountSync, syncAll } from './account-sync.js';
import { FailedRuns } from './failed-runs.js';
import { startMissing } from './missing-workflows.js';
import { OutboxRelay } from './outbox-relay.js';
import { Reconciler } from './reconciler.js';
import { BACKFILLS, CONVERSATIONS, WorkflowConnection, type WorkflowKind } from './workflow-kind.js';

@Module({
  providers: [
    OutboxRelay,
    AccountSync,
    FailedRuns,
    {
      provide: Reconciler,
      inject: [WorkerDatabase, CONVERSATIONS, BACKFILLS, WorkflowConnection, Log],
      useFactory: (
        database: WorkerDatabase,
        conversations: WorkflowKind,
        backfills: WorkflowKind,
        temporal: WorkflowConnection,
        log: Log,
      ) =>
        new Reconciler({
          log,
          startMissing: async () => {
            const { workflows } = temporal;
            if (workflows === null) return null;
            const missing = await startMissing(database, workflows, conversations);
            return { ...missing, ...(await syncAll(database, workflows, backfills)) };
          },
        }),
    },
  ],
  exports: [OutboxRelay, AccountSync, FailedRuns, Reconciler],
})
export class OutboxModule {}
