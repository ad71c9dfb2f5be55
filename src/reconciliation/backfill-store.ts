// Progress of backfills, one row per account. Every write names the version that was read, so that an attempt that timed out,
// or began before the backfill was restarted, can no longer change anything.
import { Injectable } from '@nestjs/common';
import { WorkerDatabase } from '../database/database.js';
import { open, seal } from '../vault/sealing/sealing.js';
import { VaultService } from '../vault/vault.service.js';
import type { BackfillStatus } from './backfill-requests.js';

const DAY_MS = 86_400_000;

/** Where the walk through the provider's list continues: windows of start times, newest first; within one, kinds and pages. */
export interface Position {
  /** Upper end of the window, exclusive. */
  windowTo: Date;
  /** Null: the provider's first kind. */
  kind: string | null;
  cursor: string | null;
}

export interface Backfill {
  accountId: string;
  clientId: string;
  status: BackfillStatus;
  from: Date;
  to: Date;
  position: Position;
  checked: number;
  added: number;
  skipped: Skipped;
  /** What blocks it, as a code. */
  problem: string | null;
  version: number;
}

interface Row {
  client_id: string;
  status: BackfillStatus;
  range_from: Date;
  range_to: Date;
  window_to: Date;
  kind: string | null;
  cursor: Buffer | null;
  checked: number;
  page_checked: number;
  added: number;
  skipped_reasons: Skipped;
  last_error: string | null;
  version: number;
}

const COLUMNS = `client_id, status, range_from, range_to, window_to, kind, cursor, checked, page_checked, added,
  skipped_reasons, last_error, version`;
// Time passes between request and start; conversations that began meanwhile belong to the backfill as well.
const BEGIN = `
update backfills set status = 'running', page_checked = 0, started_at = coalesce(started_at, now()), version = version + 1,
  range_to = case when started_at is null then now() else range_to end,
  window_to = case when started_at is null then now() else window_to end
where provider_account_id = $1 and status in ('pending', 'running') returning ${COLUMNS}`;
const READ = `select ${COLUMNS} from backfills where provider_account_id = $1`;
const PROGRESS = `
update backfills set page_checked = page_checked + $3, added = added + $4, version = version + 1
where provider_account_id = $1 and version = $2 returning ${COLUMNS}`;
const ADVANCE = `
update backfills set checked = checked + page_checked, page_checked = 0, window_to = $3, kind = $4, cursor = $5,
  skipped = skipped + $6, skipped_reasons = $7,
  status = case when $3 <= range_from then 'completed' else 'running' end,
  completed_at = case when $3 <= range_from then now() end, last_error = null, version = version + 1
where provider_account_id = $1 and version = $2 returning ${COLUMNS}`;
const BLOCKED = `
update backfills set status = $3, last_error = $4, version = version + 1
where provider_account_id = $1 and version = $2 returning ${COLUMNS}`;

export interface Counts {
  checked: number;
  added: number;
}

/** Conversations that the provider lists but does not deliver: counts by reason. */
export type Skipped = Record<string, number>;

/** The row was changed meanwhile: the walk must read it again before it continues. */
export class BackfillChanged extends Error {
  override readonly name = 'BackfillChanged';
}

@Injectable()
export class BackfillStore {
  constructor(
    private readonly database: WorkerDatabase,
    private readonly vault: VaultService,
  ) {}

  /** Reads the backfill and sets it to `running`, unless it has ended. Null if the account has none. */
  async begin(accountId: string): Promise<Backfill | null> {
    const row = (await this.run(BEGIN, [accountId])) ?? (await this.run(READ, [accountId]));
    return row === undefined ? null : this.backfillOf(accountId, row);
  }

  /** Adds counts for a part of the current page. Throws {@link BackfillChanged}. */
  count(backfill: Backfill, { checked, added }: Counts): Promise<Backfill> {
    return this.write(PROGRESS, backfill, [checked, added]);
  }

  /**
   * Completes the current page, except for conversations that were `skipped`, and moves to the next position; `completed` once
   * that lies before the range. Throws {@link BackfillChanged}.
   */
  async advance(backfill: Backfill, { windowTo, kind, cursor }: Position, skipped: Skipped): Promise<Backfill> {
    const key = await this.vault.clientKey(backfill.clientId);
    const sealed = cursor === null ? null : seal(key, purposeOf(backfill.accountId), Buffer.from(cursor));
    const count = Object.values(skipped).reduce((sum, some) => sum + some, 0);
    return this.write(ADVANCE, backfill, [windowTo, kind, sealed, count, sumOf(backfill.skipped, skipped)]);
  }

  /** Records what blocks the backfill, as a code. Throws {@link BackfillChanged}. */
  recordProblem(backfill: Backfill, status: 'running' | 'failed', problem: string): Promise<Backfill> {
    return this.write(BLOCKED, backfill, [status, problem]);
  }

  private async write(text: string, { accountId, version }: Backfill, values: unknown[]): Promise<Backfill> {
    const row = await this.run(text, [accountId, version, ...values]);
    if (row === undefined) throw new BackfillChanged();
    return this.backfillOf(accountId, row);
  }

  private async run(text: string, values: unknown[]): Promise<Row | undefined> {
    return (await this.database.withScope('all', (tx) => tx.query<Row>({ text, values })))[0];
  }

  private async backfillOf(accountId: string, row: Row): Promise<Backfill> {
    const key = await this.vault.clientKey(row.client_id);
    const cursor = row.cursor === null ? null : open(key, purposeOf(accountId), row.cursor).toString('utf8');
    return {
      accountId,
      clientId: row.client_id,
      status: row.status,
      from: row.range_from,
      to: row.range_to,
      position: { windowTo: row.window_to, kind: row.kind, cursor },
      checked: row.checked + row.page_checked,
      added: row.added,
      skipped: row.skipped_reasons,
      problem: row.last_error,
      version: row.version,
    };
  }
}

const sumOf = (one: Skipped, other: Skipped): Skipped =>
  Object.fromEntries(
    [...Object.keys(one), ...Object.keys(other)].map((reason) => [reason, (one[reason] ?? 0) + (other[reason] ?? 0)]),
  );

const purposeOf = (accountId: string): string => `backfill:${accountId}`;

/** Lower end of the current window: a day before its upper end, but not before the range. */
export const windowFrom = ({ from, position }: Pick<Backfill, 'from' | 'position'>): Date =>
  new Date(Math.max(from.getTime(), position.windowTo.getTime() - DAY_MS));

/** The position after a page: the next page, else the next kind in this window, else the previous window. Pure. */
export function nextPosition(backfill: Backfill, kinds: readonly string[], nextCursor: string | null): Position {
  const { position } = backfill;
  const kind = position.kind ?? kinds[0] ?? null;
  if (nextCursor !== null) return { ...position, kind, cursor: nextCursor };
  const following = kinds[kinds.indexOf(kind ?? '') + 1];
  if (following !== undefined) return { ...position, kind: following, cursor: null };
  return { windowTo: windowFrom(backfill), kind: null, cursor: null };
}
