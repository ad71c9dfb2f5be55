// The one way to a transaction. It sets whose rows may be seen, for this transaction alone, before the first query runs.
import type { PoolClient, QueryConfig, QueryResultRow } from 'pg';
import type { DataSource, EntityManager } from 'typeorm';
import { asStorageFailure } from './failures.js';

/** Whose rows: every client (`all`) or these client uuids. */
export type ClientScope = 'all' | readonly string[];

/** A hand-written statement; a `name` makes it a prepared one on its connection. */
export type Statement = Pick<QueryConfig, 'name' | 'text' | 'values'>;

export interface Transaction {
  /** Rows of one statement. */
  query<Row extends QueryResultRow>(statement: Statement): Promise<Row[]>;
  /** TypeORM on the same connection and transaction, for entities. */
  readonly manager: EntityManager;
}

const SCOPE = "select set_config('app.scope', $1, true), set_config('app.clients', $2, true)";

/**
 * Runs `work` in one transaction that sees only the rows of `clients`; commits when it resolves, rolls back when it throws.
 * BEGIN, the scope and the first query of `work` share one round trip (pipelined connections).
 * Throws `storage_unavailable` when Postgres is away.
 */
export async function withScope<Result>(
  dataSource: DataSource,
  clients: ClientScope,
  work: (tx: Transaction) => Promise<Result>,
): Promise<Result> {
  const runner = dataSource.createQueryRunner();
  try {
    const client = (await runner.connect()) as PoolClient;
    const opened = open(client, clients);
    try {
      const result = await work({
        query: async <Row extends QueryResultRow>(statement: Statement) => (await client.query<Row>(statement)).rows,
        manager: runner.manager,
      });
      await opened;
      await client.query('commit');
      return result;
    } catch (error) {
      // A connection that broke cannot roll back; the server does it. The first error is the one to tell.
      await client.query('rollback').catch(() => undefined);
      // When opening failed, that is the reason why the statements after it failed.
      await opened;
      throw error;
    }
  } catch (error) {
    throw asStorageFailure(error);
  } finally {
    await runner.release();
  }
}

function open(client: PoolClient, clients: ClientScope): Promise<unknown> {
  const scope = clients === 'all' ? ['all', '{}'] : ['some', `{${clients.join(',')}}`];
  const opened = Promise.all([client.query('begin'), client.query({ name: 'scope', text: SCOPE, values: scope })]);
  // Awaited later; until then its failure must not count as unhandled.
  opened.catch(() => undefined);
  return opened;
}
