// Which Postgres errors mean "the database is away" and not "this statement is wrong".
import { AppError } from '../common/errors.js';

const NETWORK = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH']);
/** https://www.postgresql.org/docs/18/errcodes-appendix.html: 08 connection, 53 resources (disk full), 57P0x shutdown and start-up, 58030 I/O. */
const SQLSTATE = /^(08...|53...|57P0[1235]|58030)$/;
const MESSAGES =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/;

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** True when the statement never ran or its outcome is unknown because Postgres is away. */
export function isStorageAway(error: unknown): boolean {
  const code = codeOf(error);
  if (NETWORK.has(code) || SQLSTATE.test(code)) return true;
  // pg gives these three no code.
  return error instanceof Error && code === '' && MESSAGES.test(error.message);
}

/** A failure that callers may see: 503 when Postgres is away, the error itself otherwise. */
export function asStorageFailure(error: unknown): unknown {
  return isStorageAway(error)
    ? new AppError('storage_unavailable', 'the database cannot be reached; nothing was stored', {
        cause: error,
        headers: { 'retry-after': '2' },
      })
    : error;
}
