// The pools of a process, one class a role, so that injection by class picks the right one.
import type { DataSource } from 'typeorm';
import type { QueryResultRow } from 'pg';
import { runOnce, withScope, type ClientScope, type Statement, type Transaction } from './with-scope.js';

export class Database {
  constructor(readonly dataSource: DataSource) {}

  /** One transaction over the rows of `clients`; see {@link withScope}. */
  withScope<Result>(clients: ClientScope, work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    return withScope(this.dataSource, clients, work);
  }

  /** One statement in a transaction of its own over the rows of `clients`; see {@link runOnce}. */
  once<Row extends QueryResultRow>(clients: ClientScope, statement: Statement): Promise<Row[]> {
    return runOnce(this.dataSource, clients, statement);
  }

  /** Resolves when Postgres answers. */
  async ping(): Promise<void> {
    await this.once('all', { text: 'select 1' });
  }

  async close(): Promise<void> {
    if (this.dataSource.isInitialized) await this.dataSource.destroy();
  }
}

/** Requests: sees the clients of its key alone. */
export class ApiDatabase extends Database {}
/** The webhook door: may append facts and identities, and read accounts. */
export class IngestDatabase extends Database {}
/** Loops and activities of the worker: all clients. */
export class WorkerDatabase extends Database {}
