// The API's side of a backfill: requests it in the transaction that changes the account, and reads its progress.
import { ASKED, RECONCILIATION } from '../../workflows/reconciliation.names.js';
import type { Transaction } from '../database/with-scope.js';
import { traceparent } from '../observability/tracing.js';
import { addCommands } from '../outbox/workflow-commands.js';

export type BackfillStatus = 'pending' | 'running' | 'completed' | 'failed';

/** `backfill` of a provider account. Times are RFC 3339. */
export interface BackfillProgress {
  status: BackfillStatus | 'none';
  from: string | null;
  to: string | null;
  checked: number;
  added: number;
  skipped: number;
  skipped_reasons: Record<string, number>;
  done_until: string | null;
  started_at: string | null;
  completed_at: string | null;
  last_error: string | null;
}

export const NO_BACKFILL: BackfillProgress = {
  status: 'none',
  from: null,
  to: null,
  checked: 0,
  added: 0,
  skipped: 0,
  skipped_reasons: {},
  done_until: null,
  started_at: null,
  completed_at: null,
  last_error: null,
};

// A repeated request starts over; conversations that are known by then are skipped.
const REQUEST = `
insert into backfills (provider_account_id, client_id, range_from, range_to, window_to)
values ($1, $2, now() - make_interval(days => $3), now(), now())
on conflict on constraint backfills_pkey do update set status = 'pending', range_from = excluded.range_from,
  range_to = excluded.range_to, window_to = excluded.window_to, kind = null, cursor = null, checked = 0, page_checked = 0,
  added = 0, skipped = 0, skipped_reasons = '{}', last_error = null, started_at = null, completed_at = null, version = backfills.version + 1`;
const RESUME = `
update backfills set status = 'pending', cursor = null, last_error = null, version = version + 1
where provider_account_id = $1 and status = 'failed' returning 1 as resumed`;
const CANCEL = 'delete from backfills where provider_account_id = $1';

/** Requests a backfill of the last `days` of an account, and its workflow. */
export async function requestBackfill(
  tx: Transaction,
  { id, client_id: clientId }: { id: string; client_id: string },
  days: number,
): Promise<void> {
  await tx.query({ text: REQUEST, values: [id, clientId, days] });
  await askWorkflow(tx, id);
}

/** Resumes a failed backfill in the same window, from its first page: the cursor may have expired. */
export async function resumeBackfill(tx: Transaction, accountId: string): Promise<void> {
  const resumed = await tx.query({ text: RESUME, values: [accountId] });
  if (resumed.length > 0) await askWorkflow(tx, accountId);
}

/** A workflow that is running is signalled, so that it re-checks before finishing. */
const askWorkflow = (tx: Transaction, entityId: string): Promise<void> =>
  addCommands(tx, [{ workflow: RECONCILIATION, entityId, kind: ASKED, traceparent: traceparent() }]);

/** Cancels a backfill: the walk ends at its next step. What it has imported stays. */
export const cancelBackfill = (tx: Transaction, accountId: string): Promise<unknown> =>
  tx.query({ text: CANCEL, values: [accountId] });

interface Row {
  provider_account_id: string;
  status: BackfillStatus;
  range_from: Date;
  range_to: Date;
  window_to: Date;
  checked: number;
  page_checked: number;
  added: number;
  skipped: number;
  skipped_reasons: Record<string, number>;
  version: number;
  last_error: string | null;
  started_at: Date | null;
  completed_at: Date | null;
}

const READ = `
select provider_account_id, status, range_from, range_to, window_to, checked, page_checked, added, skipped,
  skipped_reasons, version, last_error, started_at, completed_at
from backfills where provider_account_id = any($1::uuid[])`;

/** Progress by account, with the version of each row. Accounts without a backfill are left out. */
export async function readBackfills(
  tx: Transaction,
  accountIds: readonly string[],
): Promise<Map<string, { progress: BackfillProgress; version: number }>> {
  const rows = await tx.query<Row>({ text: READ, values: [accountIds] });
  return new Map(rows.map((row) => [row.provider_account_id, { progress: progressOf(row), version: row.version }]));
}

const iso = (time: Date | null): string | null => time?.toISOString() ?? null;

const progressOf = (row: Row): BackfillProgress => ({
  status: row.status,
  from: iso(row.range_from),
  to: iso(row.range_to),
  checked: row.checked + row.page_checked,
  added: row.added,
  skipped: row.skipped,
  skipped_reasons: row.skipped_reasons,
  // The walk goes from new to old, so everything from here to `to` has been checked.
  done_until: row.window_to < row.range_to ? iso(row.window_to) : null,
  started_at: iso(row.started_at),
  completed_at: iso(row.completed_at),
  last_error: row.last_error,
});
