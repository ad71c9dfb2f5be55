// The search database. It may be unavailable or empty at any time; nothing else depends on it.
import type { QueryResultRow } from 'pg';
import { AppError } from '../../common/errors.js';
import { Database } from '../database.js';
import { migrationState } from '../migration-state.js';
import type { ClientScope, Statement, Transaction } from '../with-scope.js';

/**
 * Connects at the first use, and again at the next use after a failure, so that processes start and run without it. Throws
 * `search_unavailable` if it cannot be reached, is too slow, or is not migrated.
 */
export class SearchDatabase extends Database {
  private opening: Promise<void> | undefined;

  override withScope<Result>(clients: ClientScope, work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    return this.whenOpen(() => super.withScope(clients, work));
  }

  override once<Row extends QueryResultRow>(clients: ClientScope, statement: Statement): Promise<Row[]> {
    return this.whenOpen(() => super.once<Row>(clients, statement));
  }

  /** Resolves when it answers and has its tables. */
  override async ping(): Promise<void> {
    await this.once('all', { text: 'select from search_state' });
  }

  override async close(): Promise<void> {
    await this.opening?.catch(() => undefined);
    await super.close();
  }

  private async whenOpen<Result>(work: () => Promise<Result>): Promise<Result> {
    await (this.opening ??= this.open());
    try {
      return await work();
    } catch (error) {
      throw asSearchFailure(error);
    }
  }

  private async open(): Promise<void> {
    try {
      if (!this.dataSource.isInitialized) await this.dataSource.initialize();
      const { pending } = await migrationState(this.dataSource);
      if (pending.length > 0) throw notMigrated(undefined);
    } catch (error) {
      this.opening = undefined;
      throw error instanceof AppError || isNotMigrated(error) ? asSearchFailure(error) : unreachable(error);
    }
  }
}

const unavailable = (detail: string, cause: unknown): AppError =>
  new AppError('search_unavailable', detail, { cause, headers: { 'retry-after': '2' } });
const unreachable = (cause: unknown): AppError => unavailable('the search database cannot be reached', cause);
const notMigrated = (cause: unknown): AppError =>
  unavailable('the search database is not up to date: run "colloquy migrate"', cause);

/** https://www.postgresql.org/docs/18/errcodes-appendix.html: no such database, it takes no connections, or no such login. */
const NOT_CONNECTED = /^(3D000|55000|28...)$/;
/** The role, a right, a table or a column is not there yet. */
const NOT_MIGRATED = new Set(['22023', '42501', '42P01', '42703']);

const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
const isNotMigrated = (error: unknown): boolean => NOT_MIGRATED.has(String(codeOf(error)));

function asSearchFailure(error: unknown): unknown {
  if (error instanceof AppError && error.code === 'storage_unavailable') return unreachable(error.cause);
  if (NOT_CONNECTED.test(String(codeOf(error)))) return unreachable(error);
  return isNotMigrated(error) ? notMigrated(error) : error;
}
