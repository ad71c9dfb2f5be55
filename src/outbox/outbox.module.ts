// How changes reach Temporal: rows written together with each change, and the reconciler's passes over everything that has work.
import { Module } from '@nestjs/common';
import { AccountRearms } from './account-rearms.js';
import { Contact } from './contact.js';
import { FailedRuns } from './failed-runs.js';
import { OutboxRelay } from './outbox-relay.js';
import { Reconciler } from './reconciler.js';

@Module({
  providers: [Contact, OutboxRelay, AccountRearms, FailedRuns, Reconciler],
  exports: [OutboxRelay, AccountRearms, FailedRuns, Reconciler],
})
export class OutboxModule {}
