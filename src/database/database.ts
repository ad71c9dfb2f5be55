// The connection pools of a process: one class per role, so that injection by class picks the right one.
import type { DataSource } from 'typeorm';
import type { QueryResultRow } from 'pg';
import { runOnce, withScope, type ClientScope, type Statement, type Transaction } from './with-scope.js';

export class Database {
  constructor(readonly dataSource: DataSource) {}

  /** One transaction over the rows of `clients`; see {@link withScope}. */
  withScope<Result>(clients: ClientScope, work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    return withScope(this.dataSource, clients, work);
  }

  /** Runs one statement in its own transaction over the rows of `clients`; see {@link runOnce}. */
  once<Row extends QueryResultRow>(clients: ClientScope, statement: Statement): Promise<Row[]> {
    return runOnce(this.dataSource, clients, statement);
  }

  /** Resolves if PostgreSQL answers. */
  async ping(): Promise<void> {
    await this.once('all', { text: 'select 1' });
  }

  async close(): Promise<void> {
    if (this.dataSource.isInitialized) await this.dataSource.destroy();
  }
}

/** For API requests: sees only the clients of the key. */
export class ApiDatabase extends Database {}
/** For the webhook door: may append facts and identities, and read accounts. */
export class IngestDatabase extends Database {}
/** For loops and activities of the worker: sees all clients. */
export class WorkerDatabase extends Database {}
