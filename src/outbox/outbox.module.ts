// How anything reaches Temporal: rows that are written with each change, and a walk over everything that has work.
import { Module } from '@nestjs/common';
import { Log } from '../common/log.js';
import { WorkerDatabase } from '../database/database.js';
import { AccountSync } from './account-sync.js';
import { Contact } from './contact.js';
import { FailedRuns } from './failed-runs.js';
import { startAllMissing } from './missing-workflows.js';
import { OutboxRelay } from './outbox-relay.js';
import { Reconciler } from './reconciler.js';
import { WorkflowConnection } from './workflow-kind.js';
import { WorkflowKinds } from './workflow-kinds.js';

@Module({
  providers: [
    Contact,
    OutboxRelay,
    AccountSync,
    FailedRuns,
    {
      provide: Reconciler,
      inject: [WorkerDatabase, WorkflowKinds, WorkflowConnection, Log],
      useFactory: (database: WorkerDatabase, kinds: WorkflowKinds, temporal: WorkflowConnection, log: Log) =>
        new Reconciler({
          log,
          startMissing: async () => {
            const { workflows } = temporal;
            return workflows === null ? null : startAllMissing(database, workflows, kinds);
          },
        }),
    },
  ],
  exports: [OutboxRelay, AccountSync, FailedRuns, Reconciler],
})
export class OutboxModule {}
