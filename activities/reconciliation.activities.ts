// Activities of an account: arguments → one service call → mapped failure.
import { Context } from '@temporalio/activity';
import { uuidOf } from '../src/common/ids.js';
import type { BackfillView } from '../src/reconciliation/backfill-view.js';
import type { BackfillWalk } from '../src/reconciliation/backfill.js';
import type { LivePoll, PollView } from '../src/reconciliation/live-poll.js';
import { mapped } from './failures.js';
import { beating } from './heartbeat.js';

export type { BackfillView, PollView };

export interface ReconciliationActivities {
  /** Walks on through the account's past for a while. */
  walkBackfill(accountId: string): Promise<BackfillView>;
  /** Asks the account's list for what is live now. */
  pollLive(accountId: string): Promise<PollView>;
}

interface Services {
  backfill: BackfillWalk;
  poll: LivePoll;
}

/** The activities as a plain object of functions, which is what a Temporal worker takes. */
export function createReconciliationActivities({ backfill, poll }: Services): ReconciliationActivities {
  const uuid = (accountId: string): string => uuidOf('providerAccount', accountId);
  return {
    walkBackfill: (id) =>
      mapped(() => {
        const { info, cancellationSignal } = Context.current();
        return beating(() => backfill.step(uuid(id), { attempt: info.attempt, signal: cancellationSignal }));
      }),
    pollLive: (id) => mapped(() => beating(() => poll.poll(uuid(id), Context.current().cancellationSignal))),
  };
}
