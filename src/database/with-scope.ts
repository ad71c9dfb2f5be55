// The one way to a transaction. It sets whose rows may be seen, for this transaction alone, before the first query runs.
import type { Client, PoolClient, QueryConfig, QueryResultRow } from 'pg';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { asStorageFailure } from './failures.js';
import type { WatchedClient } from './watched-client.js';

/** Whose rows: every client (`all`) or these client uuids. */
export type ClientScope = 'all' | readonly string[];

/** A hand-written statement; a `name` makes it a prepared one on its connection. */
export type Statement = Pick<QueryConfig, 'name' | 'text' | 'values'>;

export interface Transaction {
  /** Rows of one statement. */
  query<Row extends QueryResultRow>(statement: Statement): Promise<Row[]>;
  /**
   * Sends COMMIT right behind what was sent, which saves a round trip. Call it when every statement is under way and nothing
   * but the failure of one of them, which rolls all back, could still speak against it. Await their answers afterwards.
   */
  commit(): void;
  /** Lets every statement after this take up to `ms`, instead of what the role may (limits.ts): for maintenance alone. */
  allow(ms: number): Promise<void>;
  /** TypeORM on the same connection and in the same transaction, for repositories. */
  readonly manager: EntityManager;
}

const SCOPE = "select set_config('app.scope', $1, true), set_config('app.clients', $2, true)";

/** `allowSilence` is missing on connections of the owner. */
type Connected = PoolClient & Pick<Client, 'connection'> & Partial<Pick<WatchedClient, 'allowSilence'>>;

/** The server gives up first. */
const SILENCE_AFTER_MS = 2_000;

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
  let used: Connected | undefined;
  try {
    const client = (used = (await runner.connect()) as Connected);
    const opened = writtenTogether(client, () => open(client, clients));
    tellOfTransaction(runner);
    let committed: Promise<unknown> | undefined;
    let first: unknown;
    const asked = <Answer>(answer: Promise<Answer>): Promise<Answer> =>
      answer.catch((error: unknown) => {
        first ??= error;
        throw error;
      });
    const commit = (): Promise<unknown> => (committed ??= writtenTogether(client, () => client.query('commit')));
    try {
      const result = await work({
        query: async <Row extends QueryResultRow>(statement: Statement) =>
          (await asked(writtenTogether(client, () => client.query<Row>(statement)))).rows,
        // Awaited below, unless a statement fails before: that is the error to tell.
        commit: () => void commit().catch(() => undefined),
        allow: async (ms) => {
          client.allowSilence?.(ms + SILENCE_AFTER_MS);
          await client.query(`set local statement_timeout = ${ms}`);
        },
        manager: runner.manager,
      });
      await opened;
      await commit();
      return result;
    } catch (error) {
      // A connection that broke cannot roll back; the server does it. The first error is the one to tell.
      await client.query('rollback').catch(() => undefined);
      // When opening failed, that is the reason why the statements after it failed.
      await opened;
      // Statements that were sent behind one that failed fail as well, and may be heard of first.
      throw isAfterFailure(error) ? (first ?? error) : error;
    }
  } catch (error) {
    throw asStorageFailure(error);
  } finally {
    used?.allowSilence?.();
    await runner.release();
  }
}

/**
 * One statement in a transaction of its own, which sees only the rows of `clients`; resolves once it is committed. BEGIN,
 * the scope, the statement and COMMIT share one round trip and one write. Throws as {@link withScope} does.
 */
export async function runOnce<Row extends QueryResultRow>(
  dataSource: DataSource,
  clients: ClientScope,
  statement: Statement,
): Promise<Row[]> {
  const runner = dataSource.createQueryRunner();
  try {
    const client = (await runner.connect()) as Connected;
    const sent = writtenTogether(
      client,
      () =>
        [
          open(client, clients),
          client.query<Row>(statement),
          // After a failed statement it rolls back.
          client.query('commit'),
        ] as const,
    );
    // All of them: a connection is given back when nothing is under way on it.
    const [opened, answered, committed] = await Promise.allSettled(sent);
    for (const outcome of [opened, answered, committed]) if (outcome.status === 'rejected') throw outcome.reason;
    return answered.status === 'fulfilled' ? answered.value.rows : [];
  } catch (error) {
    throw asStorageFailure(error);
  } finally {
    await runner.release();
  }
}

/**
 * TypeORM does not notice a BEGIN that it did not send: it would refuse to lock rows, and `save()`, `remove()` and
 * `transaction()` would begin and commit a transaction of their own, without the scope. A runner serves one transaction, so
 * this is never undone.
 */
function tellOfTransaction(runner: QueryRunner): void {
  Object.assign(runner, { isTransactionActive: true, transactionDepth: 1 });
}

/** What is sent until the end of this turn goes out in one write: each costs a system call, and on loopback a delivery. */
function writtenTogether<Sent>({ connection: { stream } }: Connected, send: () => Sent): Sent {
  stream.cork();
  process.nextTick(() => stream.uncork());
  return send();
}

/** https://www.postgresql.org/docs/18/errcodes-appendix.html: in_failed_sql_transaction. */
const isAfterFailure = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === '25P02';

function open(client: PoolClient, clients: ClientScope): Promise<unknown> {
  const scope = clients === 'all' ? ['all', '{}'] : ['some', `{${clients.join(',')}}`];
  const opened = Promise.all([client.query('begin'), client.query({ name: 'scope', text: SCOPE, values: scope })]);
  // Awaited later; until then its failure must not count as unhandled.
  opened.catch(() => undefined);
  return opened;
}
