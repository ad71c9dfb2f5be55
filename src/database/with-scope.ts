// Every transaction begins here: the visible clients (row-level security) are set before its first query.
import type { Client, PoolClient, QueryConfig, QueryResultRow } from 'pg';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { asStorageFailure } from './failures.js';
import type { WatchedClient } from './watched-client.js';

/** The visible clients: all, or these uuids. */
export type ClientScope = 'all' | readonly string[];

/** A hand-written statement; with a `name` it is prepared once per connection. */
export type Statement = Pick<QueryConfig, 'name' | 'text' | 'values'>;

export interface Transaction {
  /** Runs one statement and returns its rows. */
  query<Row extends QueryResultRow>(statement: Statement): Promise<Row[]>;
  /**
   * Sends COMMIT right after the statements already sent, which saves a round trip. Call it only if nothing but the failure of
   * one of these statements, which rolls everything back, could still prevent the commit. Await their results afterwards.
   */
  commit(): void;
  /** Sets the timeout of all further statements, instead of the role's (limits.ts). For maintenance only. */
  allow(ms: number): Promise<void>;
  /** TypeORM on the same connection and in the same transaction, for repositories. */
  readonly manager: EntityManager;
}

const SCOPE = "select set_config('app.scope', $1, true), set_config('app.clients', $2, true)";

/** The owner's connections have no `allowSilence`. */
type Connected = PoolClient & Pick<Client, 'connection'> & Partial<Pick<WatchedClient, 'allowSilence'>>;

/** Added to the statement timeout, so that the server gives up first. */
const SILENCE_MARGIN_MS = 2_000;

/**
 * Runs `work` in one transaction that sees only the rows of `clients`; commits if it resolves, rolls back if it rejects.
 * BEGIN, the scope and the first query of `work` share one round trip (pipelined connections).
 * Throws `storage_unavailable`.
 */
export async function withScope<Result>(
  dataSource: DataSource,
  clients: ClientScope,
  work: (tx: Transaction) => Promise<Result>,
): Promise<Result> {
  const runner = dataSource.createQueryRunner();
  let used: Connected | undefined;
  try {
    const client = (used = (await runner.connect()) as Connected);
    const begun = corked(client, () => begin(client, clients));
    markTransactionActive(runner);
    let committed: Promise<unknown> | undefined;
    let firstError: unknown;
    const tracked = <Answer>(answer: Promise<Answer>): Promise<Answer> =>
      answer.catch((error: unknown) => {
        firstError ??= error;
        throw error;
      });
    const commit = (): Promise<unknown> => (committed ??= corked(client, () => client.query('commit')));
    try {
      const result = await work({
        query: async <Row extends QueryResultRow>(statement: Statement) =>
          (await tracked(corked(client, () => client.query<Row>(statement)))).rows,
        // Awaited below, unless a statement fails before; its error is then the one to throw.
        commit: () => void commit().catch(() => undefined),
        allow: async (ms) => {
          client.allowSilence?.(ms + SILENCE_MARGIN_MS);
          await client.query(`set local statement_timeout = ${ms}`);
        },
        manager: runner.manager,
      });
      await begun;
      await commit();
      return result;
    } catch (error) {
      // On a broken connection this fails too, and the server rolls back by itself.
      await client.query('rollback').catch(() => undefined);
      // If BEGIN or the scope failed, that error is the cause of the others: throw it.
      await begun;
      // Pipelined statements after a failed one fail as well, and their errors may arrive here first.
      throw isAfterFailure(error) ? (firstError ?? error) : error;
    }
  } catch (error) {
    throw asStorageFailure(error);
  } finally {
    used?.allowSilence?.();
    await runner.release();
  }
}

/**
 * Runs one statement in its own transaction, which sees only the rows of `clients`; resolves once it is committed. BEGIN, the
 * scope, the statement and COMMIT share one round trip and one write. Throws as {@link withScope} does.
 */
export async function runOnce<Row extends QueryResultRow>(
  dataSource: DataSource,
  clients: ClientScope,
  statement: Statement,
): Promise<Row[]> {
  const runner = dataSource.createQueryRunner();
  try {
    const client = (await runner.connect()) as Connected;
    const sent = corked(
      client,
      () =>
        [
          begin(client, clients),
          client.query<Row>(statement),
          // Rolls back if the statement failed.
          client.query('commit'),
        ] as const,
    );
    // Wait for all three: the connection must be idle before it is released.
    const [begun, answered, committed] = await Promise.allSettled(sent);
    for (const outcome of [begun, answered, committed]) if (outcome.status === 'rejected') throw outcome.reason;
    return answered.status === 'fulfilled' ? answered.value.rows : [];
  } catch (error) {
    throw asStorageFailure(error);
  } finally {
    await runner.release();
  }
}

/**
 * Tells TypeORM about our BEGIN. Otherwise it would refuse to lock rows, and `save()`, `remove()` and `transaction()` would
 * begin and commit a transaction of their own, without the scope. Never undone: a runner serves only one transaction.
 */
function markTransactionActive(runner: QueryRunner): void {
  Object.assign(runner, { isTransactionActive: true, transactionDepth: 1 });
}

/** Buffers everything sent in this event loop iteration into one write: each write costs a system call. */
function corked<Sent>({ connection: { stream } }: Connected, send: () => Sent): Sent {
  stream.cork();
  process.nextTick(() => stream.uncork());
  return send();
}

/** https://www.postgresql.org/docs/18/errcodes-appendix.html: in_failed_sql_transaction. */
const isAfterFailure = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === '25P02';

function begin(client: PoolClient, clients: ClientScope): Promise<unknown> {
  const scope = clients === 'all' ? ['all', '{}'] : ['some', `{${clients.join(',')}}`];
  const begun = Promise.all([client.query('begin'), client.query({ name: 'scope', text: SCOPE, values: scope })]);
  // It is awaited later; until then a failure must not count as unhandled.
  begun.catch(() => undefined);
  return begun;
}
