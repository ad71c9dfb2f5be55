// A worker's database that counts what its statements read of one table, from Postgres's statistics.
import type { QueryResultRow } from 'pg';
import type { DataSource } from 'typeorm';
import { WorkerDatabase } from '../../src/database/database.js';
import type { ClientScope, Statement, Transaction } from '../../src/database/with-scope.js';

interface Counters {
  scans: number;
  index_scans: number;
  rows: number;
}

/** Counts single statements only: a transaction that fails, or commits before the statistics are read, is not counted. */
export class CountingDatabase extends WorkerDatabase {
  /** Scans of the whole table. */
  scans = 0;
  /** Scans of one of its indexes. */
  indexScans = 0;
  /** Rows of the table that were read, by an index or not, whether they matched or not. */
  rows = 0;

  constructor(
    dataSource: DataSource,
    private readonly table: string,
  ) {
    super(dataSource);
  }

  override withScope<Result>(clients: ClientScope, work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    return super.withScope(clients, async (tx) => {
      const before = await this.countersOf(tx);
      const result = await work(tx);
      const after = await this.countersOf(tx);
      this.scans += after.scans - before.scans;
      this.indexScans += after.index_scans - before.index_scans;
      this.rows += after.rows - before.rows;
      return result;
    });
  }

  override once<Row extends QueryResultRow>(clients: ClientScope, statement: Statement): Promise<Row[]> {
    return this.withScope(clients, (tx) => tx.query<Row>(statement));
  }

  private async countersOf(tx: Transaction): Promise<Counters> {
    const text = `
      select seq_scan::int as scans, coalesce(idx_scan, 0)::int as index_scans,
        (seq_tup_read + coalesce(idx_tup_fetch, 0))::int as rows
      from pg_stat_xact_user_tables where relname = $1`;
    const [counters] = await tx.query<Counters>({ text, values: [this.table] });
    if (counters === undefined) throw new Error(`there is no table ${this.table}`);
    return counters;
  }
}
