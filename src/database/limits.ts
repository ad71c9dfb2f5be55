// Timeouts of database connections, by role. PostgreSQL's own timeouts come first; a connection that is silent for longer is
// dead. Roles that serve requests have short ones: an early 503 and a retry are better for callers than a long wait.
export interface Limits {
  lockMs: number;
  statementMs: number;
  /** PostgreSQL ends a transaction, and frees its locks, if the process sends nothing for this long. */
  idleInTransactionMs: number;
  /** A connection that owes an answer is dead after this time (watched-client.ts); longer than `statementMs`. */
  silenceMs: number;
}

export const LIMITS = {
  colloquy_api: { lockMs: 4_000, statementMs: 6_000, idleInTransactionMs: 10_000, silenceMs: 7_000 },
  colloquy_ingest: { lockMs: 2_000, statementMs: 3_000, idleInTransactionMs: 5_000, silenceMs: 4_000 },
  // No caller waits for it.
  colloquy_worker: { lockMs: 5_000, statementMs: 9_000, idleInTransactionMs: 60_000, silenceMs: 10_000 },
  colloquy_search_api: { lockMs: 1_000, statementMs: 3_000, idleInTransactionMs: 5_000, silenceMs: 4_000 },
  colloquy_search_worker: { lockMs: 5_000, statementMs: 9_000, idleInTransactionMs: 20_000, silenceMs: 10_000 },
  keystore: { lockMs: 2_000, statementMs: 3_000, idleInTransactionMs: 5_000, silenceMs: 4_000 },
} as const satisfies Record<string, Limits>;

/** Settings of a pg client or pool that make PostgreSQL enforce `limits`. */
export const timeouts = ({ lockMs, statementMs, idleInTransactionMs }: Limits) => ({
  lock_timeout: lockMs,
  statement_timeout: statementMs,
  idle_in_transaction_session_timeout: idleInTransactionMs,
});
