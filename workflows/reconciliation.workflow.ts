// The workflow of an account's backfill: imports its past in steps. Progress is stored in Postgres, so the workflow can be restarted
// any number of times and continues where the last run stopped.
import { continueAsNew, defineSignal, proxyActivities, setCurrentDetails, setHandler } from '@temporalio/workflow';
import { WALK } from './activity-options.js';
import { ASKED } from './reconciliation.names.js';

export interface AccountInput {
  /** pa_… */
  accountId: string;
}

const askedSignal = defineSignal(ASKED);

/** Progress of a backfill, as the Temporal UI shows it: enumerations, counts and times (RFC 3339) only. */
export interface BackfillProgress {
  status: 'running' | 'completed' | 'failed' | 'none';
  from: string | null;
  to: string | null;
  doneUntil: string | null;
  checked: number;
  added: number;
  /** Counts by reason. Absent in older histories. */
  skipped?: Record<string, number>;
  /** What blocks it, as a code. */
  problem: string | null;
}

export interface ReconciliationActivities {
  /** Walks through the past of the account (`pa_…`) for a while. */
  walkBackfill(accountId: string): Promise<BackfillProgress>;
}

/** Steps before the workflow continues as new: about 600 events. */
const STEPS_PER_RUN = 100;

const walkFrom = (summary: string): ReconciliationActivities['walkBackfill'] =>
  proxyActivities<ReconciliationActivities>({ ...WALK, summary }).walkBackfill;

export async function reconciliation({ accountId }: AccountInput): Promise<BackfillProgress> {
  let asked = false;
  setHandler(askedSignal, () => {
    asked = true;
  });
  let progress: BackfillProgress | null = null;
  for (let step = 0; step < STEPS_PER_RUN; step += 1) {
    const summary: string = progress === null ? 'Continue' : `Before ${progress.doneUntil ?? progress.to ?? 'now'}`;
    asked = false;
    const walked: BackfillProgress = await walkFrom(summary)(accountId);
    setCurrentDetails(describeBackfill(walked));
    // A signal that arrived just as the walk ended means that there is more to do.
    if (walked.status !== 'running' && !asked) return walked;
    progress = walked;
  }
  return continueAsNew<typeof reconciliation>({ accountId });
}

/** Markdown for the Temporal UI. */
function describeBackfill({ status, problem, from, to, doneUntil, ...counts }: BackfillProgress): string {
  const { checked, added, skipped = {} } = counts;
  const reasons = Object.entries(skipped).map(([reason, count]) => `| ${reason} | ${count} |`);
  return [
    `**${status}**${problem === null ? '' : ` (${problem})`}: ${checked} conversations checked, ${added} of them imported`,
    '',
    '| from | to | done until |',
    '|---|---|---|',
    `| ${from ?? ''} | ${to ?? ''} | ${doneUntil ?? ''} |`,
    ...(reasons.length === 0 ? [] : ['', '| skipped, by reason | conversations |', '|---|---|', ...reasons]),
  ].join('\n');
}
