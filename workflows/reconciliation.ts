// An account's past, brought in stretch by stretch. What is done and what is left lies in Postgres: this workflow may be
// started anew at any moment, and goes on where the last one was.
import { continueAsNew, proxyActivities, setCurrentDetails, setHandler } from '@temporalio/workflow';
import type { BackfillView, ReconciliationActivities } from '../activities/reconciliation.activities.js';
import { WALK } from './activity-options.js';
import { askedSignal, type AccountInput } from './messages.js';

/** Then history begins anew: about 600 events. */
const STRETCHES_A_RUN = 100;

const walkFrom = (summary: string): ReconciliationActivities['walkBackfill'] =>
  proxyActivities<ReconciliationActivities>({ ...WALK, summary }).walkBackfill;

export async function reconciliation({ accountId }: AccountInput): Promise<BackfillView> {
  let asked = false;
  setHandler(askedSignal, () => {
    asked = true;
  });
  let view: BackfillView | null = null;
  for (let stretch = 0; stretch < STRETCHES_A_RUN; stretch += 1) {
    const summary: string = view === null ? 'Where it was' : `Before ${view.doneUntil ?? view.to ?? 'now'}`;
    asked = false;
    const walked: BackfillView = await walkFrom(summary)(accountId);
    setCurrentDetails(describeBackfill(walked));
    // Asked for anew in the moment of its end: then there is more to do.
    if (walked.status !== 'running' && !asked) return walked;
    view = walked;
  }
  return continueAsNew<typeof reconciliation>({ accountId });
}

/** What an operator reads in the Temporal UI. Markdown. */
function describeBackfill({ status, problem, from, to, doneUntil, ...counts }: BackfillView): string {
  const { checked, added, skipped = {} } = counts;
  const reasons = Object.entries(skipped).map(([reason, count]) => `| ${reason} | ${count} |`);
  return [
    `**${status}**${problem === null ? '' : ` (${problem})`}: ${checked} conversations looked at, ${added} of them brought in`,
    '',
    '| from | to | done until |',
    '|---|---|---|',
    `| ${from ?? ''} | ${to ?? ''} | ${doneUntil ?? ''} |`,
    ...(reasons.length === 0 ? [] : ['', '| listed and not given | conversations |', '|---|---|', ...reasons]),
  ].join('\n');
}
