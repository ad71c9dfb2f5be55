// Concurrent look-ups by id share one statement: each statement is a transaction with its scope, four messages to PostgreSQL
// and back, which cost more than reading the row.
import type { QueryResultRow } from 'pg';
import { Batcher } from '../common/batcher.js';
import type { Database } from './database.js';
import type { ClientScope, Statement } from './with-scope.js';

/** Two statements at a time keep both PostgreSQL and this process busy; look-ups that arrive meanwhile share the next one. */
const LIMITS = { maxItems: 64, concurrency: 2 };

/**
 * Finds rows by id. The statement gets the ids as `$1::uuid[]` and the clients as `$2::uuid[]` (null: all), and selects the
 * id that each row belongs to as `find_id`. Only callers with exactly the same clients share a statement, so that every row
 * is read in its caller's own scope.
 */
export class BatchedLookup<Row extends QueryResultRow> {
  private readonly scopes = new Map<string, { batcher: Batcher<string, Row[]>; users: number }>();

  constructor(
    private readonly database: Database,
    private readonly statement: Required<Pick<Statement, 'name' | 'text'>>,
  ) {}

  /** The rows of `id` among these clients, read after the call. Throws `storage_unavailable`. */
  async find(clients: ClientScope, id: string): Promise<Row[]> {
    const name = clients === 'all' ? 'all' : clients.join(',');
    const shared = this.scopes.get(name) ?? { batcher: this.batcherOf(clients), users: 0 };
    this.scopes.set(name, shared);
    shared.users += 1;
    try {
      return await shared.batcher.add(id);
    } finally {
      shared.users -= 1;
      if (shared.users === 0) this.scopes.delete(name);
    }
  }

  private batcherOf(clients: ClientScope): Batcher<string, Row[]> {
    const among = clients === 'all' ? null : clients;
    return new Batcher(async (ids) => {
      const values = [[...new Set(ids)], among];
      const rows = await this.database.once<Row & { find_id: string }>(clients, { ...this.statement, values });
      const found = new Map(ids.map((id) => [id, [] as Row[]]));
      for (const row of rows) found.get(row.find_id)?.push(row);
      return ids.map((id) => found.get(id) ?? []);
    }, LIMITS);
  }
}
