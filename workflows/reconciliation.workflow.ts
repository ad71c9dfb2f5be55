// An account's past, brought in stretch by stretch. What is done and what is left lies in Postgres: this workflow can be
// restarted any number of times, and goes on where the last one was.
import { continueAsNew, defineSignal, proxyActivities, setCurrentDetails, setHandler } from '@temporalio/workflow';
import { WALK } from './activity-options.js';

export interface AccountInput {
  /** pa_… */
  accountId: string;
}

/** Signals: `asked` says that there is something to do for the account, whatever the run under way knows. */
export type AccountSignal = 'asked';

const askedSignal = defineSignal('asked' satisfies AccountSignal);

/** A backfill as the Temporal UI shows it: enumerations, counts and times (RFC 3339) only. */
export interface BackfillProgress {
  status: 'running' | 'completed' | 'failed' | 'none';
  from: string | null;
  to: string | null;
  doneUntil: string | null;
  checked: number;
  added: number;
  /** By reason. Absent in histories from before there were reasons. */
  skipped?: Record<string, number>;
  /** What stands in the way, as a code. */
  problem: string | null;
}

export interface ReconciliationActivities {
  /** Walks on through the past of the account (`pa_…`) for a while. */
  walkBackfill(accountId: string): Promise<BackfillProgress>;
}

/** Then it continues as new: about 600 events. */
const STRETCHES_A_RUN = 100;

const walkFrom = (summary: string): ReconciliationActivities['walkBackfill'] =>
  proxyActivities<ReconciliationActivities>({ ...WALK, summary }).walkBackfill;

export async function reconciliation({ accountId }: AccountInput): Promise<BackfillProgress> {
  let asked = false;
  setHandler(askedSignal, () => {
    asked = true;
  });
  let progress: BackfillProgress | null = null;
  for (let stretch = 0; stretch < STRETCHES_A_RUN; stretch += 1) {
    const summary: string = progress === null ? 'Where it was' : `Before ${progress.doneUntil ?? progress.to ?? 'now'}`;
    asked = false;
    const walked: BackfillProgress = await walkFrom(summary)(accountId);
    setCurrentDetails(describeBackfill(walked));
    // Asked for again just as it ended: then there is more to do.
    if (walked.status !== 'running' && !asked) return walked;
    progress = walked;
  }
  return continueAsNew<typeof reconciliation>({ accountId });
}

/** What an operator reads in the Temporal UI. Markdown. */
function describeBackfill({ status, problem, from, to, doneUntil, ...counts }: BackfillProgress): string {
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
