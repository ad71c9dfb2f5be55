// A backfill as its workflow and the Temporal UI see it: enumerations, counts and times only.
import type { Backfill, Skipped } from './backfill-store.js';

export interface BackfillView {
  status: 'running' | 'completed' | 'failed' | 'none';
  from: string | null;
  to: string | null;
  doneUntil: string | null;
  checked: number;
  added: number;
  /** Absent in histories from before there were reasons. */
  skipped?: Skipped;
  /** What stands in the way, as a code. */
  problem: string | null;
}

/** Of an account that has no backfill, or is gone. */
export const NO_VIEW: BackfillView = {
  status: 'none',
  from: null,
  to: null,
  doneUntil: null,
  checked: 0,
  added: 0,
  skipped: {},
  problem: null,
};

export const viewOf = ({ status, from, to, position, checked, added, skipped, problem }: Backfill): BackfillView => ({
  status: status === 'pending' ? 'running' : status,
  from: from.toISOString(),
  to: to.toISOString(),
  doneUntil: position.windowTo < to ? position.windowTo.toISOString() : null,
  checked,
  added,
  skipped,
  problem,
});
