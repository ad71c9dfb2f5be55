// Activities of an account: arguments → one service call → mapped failure.
import { Context } from '@temporalio/activity';
import { uuidOf } from '../src/common/ids.js';
import type { ReconciliationActivities } from '../workflows/reconciliation.workflow.js';
import type { BackfillWalk } from '../src/reconciliation/backfill-walk.js';
import { mapped } from './failures.js';
import { beating } from './heartbeat.js';

/** The activities as a plain object of functions, which is what a Temporal worker takes. */
export function createReconciliationActivities(backfill: BackfillWalk): ReconciliationActivities {
  const uuid = (accountId: string): string => uuidOf('providerAccount', accountId);
  return {
    walkBackfill: (id) =>
      mapped(() => {
        const { info, cancellationSignal } = Context.current();
        return beating(() => backfill.step(uuid(id), { attempt: info.attempt, signal: cancellationSignal }));
      }),
  };
}
