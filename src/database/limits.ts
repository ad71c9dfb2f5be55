// How long Postgres may take, by whoever asks. Postgres gives up first and says so; a connection without a word after that is
// dead. Those who answer requests are impatient: a caller does better with a 503 and a second try.
export interface Limits {
  lockMs: number;
  statementMs: number;
  /** Of a transaction in which the process says nothing: Postgres ends it, and its locks. */
  idleInTransactionMs: number;
  /** Of a connection that owes an answer (watched-client.ts); above `statementMs`. */
  silenceMs: number;
}

export const LIMITS = {
  colloquy_api: { lockMs: 4_000, statementMs: 6_000, idleInTransactionMs: 10_000, silenceMs: 7_000 },
  colloquy_ingest: { lockMs: 2_000, statementMs: 3_000, idleInTransactionMs: 5_000, silenceMs: 4_000 },
  // Tells Temporal of accounts within a transaction, and waits for no caller.
  colloquy_worker: { lockMs: 5_000, statementMs: 9_000, idleInTransactionMs: 60_000, silenceMs: 10_000 },
  keystore: { lockMs: 2_000, statementMs: 3_000, idleInTransactionMs: 5_000, silenceMs: 4_000 },
} as const satisfies Record<string, Limits>;

/** Settings of a pg client or pool that hold Postgres to `limits`. */
export const timeouts = ({ lockMs, statementMs, idleInTransactionMs }: Limits) => ({
  lock_timeout: lockMs,
  statement_timeout: statementMs,
  idle_in_transaction_session_timeout: idleInTransactionMs,
});
