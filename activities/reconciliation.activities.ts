// Activities of the backfill workflow: arguments → one service call → mapped failure.
import { Context } from '@temporalio/activity';
import { uuidOf } from '../src/common/ids.js';
import type { ReconciliationActivities } from '../workflows/reconciliation.workflow.js';
import type { BackfillWalk } from '../src/reconciliation/backfill-walk.js';
import { mapFailures } from './failures.js';
import { withHeartbeat } from './heartbeat.js';

/** The activities as a plain object of functions, as a Temporal worker expects them. */
export function createReconciliationActivities(backfill: BackfillWalk): ReconciliationActivities {
  const uuid = (accountId: string): string => uuidOf('providerAccount', accountId);
  return {
    walkBackfill: (id) =>
      mapFailures(() => {
        const { info, cancellationSignal } = Context.current();
        return withHeartbeat(() => backfill.step(uuid(id), { attempt: info.attempt, signal: cancellationSignal }));
      }),
  };
}
