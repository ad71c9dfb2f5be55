import { Injectable } from '@nestjs/common';
import { WorkerDatabase } from '../database/database.js';
import { DAY_MS, STATEMENT_MS, type MaintenanceTask } from './maintenance-task.js';

/** Longer than any provider repeats a webhook. A later repeat is applied again, which makes no new revision. */
const RECEIPT_DAYS = 35;
/** Pages per statement: about 8 MB. */
const STEP = 1_000;
/** Every page is visited at least once a day: the task runs hourly. */
const RUNS_A_DAY = 24;

const SIZE = "select (pg_relation_size('fact_receipts') / current_setting('block_size')::int)::int as pages";
const SWEEP = `
delete from fact_receipts where ctid >= format('(%s,0)', $1::bigint)::tid and ctid < format('(%s,0)', $2::bigint)::tid
  and received_at < $3 returning 1 as swept`;

/**
 * Deletes receipts after 35 days. It walks through the pages of the table, a part each time, because an index by time would cost
 * every webhook something.
 */
@Injectable()
export class SweepReceipts implements MaintenanceTask {
  readonly name = 'sweep receipts';
  /** The next page. Null: at the start of a process, which may be short-lived, any page. */
  private next: number | null = null;

  constructor(private readonly database: WorkerDatabase) {}

  async run(now: Date): Promise<{ receipts: number }> {
    const before = new Date(now.getTime() - RECEIPT_DAYS * DAY_MS);
    const [size] = await this.database.withScope('all', (tx) => tx.query<{ pages: number }>({ text: SIZE }));
    const pages = size?.pages ?? 0;
    let page = this.next ?? Math.floor((Math.random() * pages) / STEP) * STEP;
    let receipts = 0;
    for (let left = Math.max(STEP, Math.ceil(pages / RUNS_A_DAY)); left > 0; left -= STEP) {
      if (page >= pages) page = 0;
      receipts += await this.sweep(page, before);
      page += STEP;
    }
    this.next = page;
    return { receipts };
  }

  private async sweep(page: number, before: Date): Promise<number> {
    const swept = await this.database.withScope('all', async (tx) => {
      await tx.allow(STATEMENT_MS);
      return tx.query({ text: SWEEP, values: [page, page + STEP, before] });
    });
    return swept.length;
  }
}
