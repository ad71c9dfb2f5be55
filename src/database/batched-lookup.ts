// Look-ups by id that are asked for at the same time share one statement: each statement is a transaction with its scope,
// four messages to Postgres and back, which cost more than the row.
import type { QueryResultRow } from 'pg';
import { Batcher } from '../common/batcher.js';
import type { Database } from './database.js';
import type { ClientScope, Statement } from './with-scope.js';

/** Few at a time: what waits meanwhile makes the next one worth its way. Two keep Postgres and this process busy. */
const LIMITS = { maxItems: 64, concurrency: 2 };

/**
 * Finds rows by id. The statement takes the ids as `$1::uuid[]` and the clients as `$2::uuid[]` (null: all), and names the
 * id that each row answers `find_id`. Callers share a statement with callers of the very same clients alone, so that nobody's
 * rows pass through a scope that may not see them.
 */
export class BatchedLookup<Row extends QueryResultRow> {
  private readonly scopes = new Map<string, { batcher: Batcher<string, Row[]>; users: number }>();

  constructor(
    private readonly database: Database,
    private readonly statement: Required<Pick<Statement, 'name' | 'text'>>,
  ) {}

  /** The rows of `id` among these clients, read after the call. Throws `storage_unavailable` when Postgres is away. */
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
