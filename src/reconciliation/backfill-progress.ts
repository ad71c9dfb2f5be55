// Backfill row → the progress that its workflow returns and the Temporal UI shows.
import type { BackfillProgress } from '../../workflows/reconciliation.workflow.js';
import type { Backfill } from './backfill-store.js';

/** Progress of an account that has no backfill, or is deleted. */
export const NO_PROGRESS: BackfillProgress = {
  status: 'none',
  from: null,
  to: null,
  doneUntil: null,
  checked: 0,
  added: 0,
  skipped: {},
  problem: null,
};

export const progressOf = ({
  status,
  from,
  to,
  position,
  checked,
  added,
  skipped,
  problem,
}: Backfill): BackfillProgress => ({
  status: status === 'pending' ? 'running' : status,
  from: from.toISOString(),
  to: to.toISOString(),
  doneUntil: position.windowTo < to ? position.windowTo.toISOString() : null,
  checked,
  added,
  skipped,
  problem,
});
