// Tells an unavailable database from a failed statement, by the error of PostgreSQL or the network.
import { AppError } from '../common/errors.js';

const NETWORK = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH']);
/** https://www.postgresql.org/docs/18/errcodes-appendix.html: 08 connection, 53 resources (disk full), 57P0x shutdown and start-up, 58030 I/O. */
const SQLSTATE = /^(08...|53...|57P0[1235]|58030)$/;
/** 57014: `statement_timeout`, 55P03: `lock_timeout`, 25P03 and 57P05: idle for too long. */
const TOO_SLOW = new Set(['57014', '55P03', '25P03', '57P05']);
const MESSAGES =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error/;

const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** Whether the statement did not run, or its outcome is unknown, because PostgreSQL is unavailable. */
export function isStorageUnavailable(error: unknown): boolean {
  const code = codeOf(error);
  if (NETWORK.has(code) || SQLSTATE.test(code)) return true;
  // pg throws these three without a code.
  return error instanceof Error && code === '' && MESSAGES.test(error.message);
}

/** The error to throw: `storage_unavailable` if PostgreSQL is unavailable or too slow, otherwise the error itself. */
export function asStorageFailure(error: unknown): unknown {
  if (TOO_SLOW.has(codeOf(error))) return unavailable('the database took too long; nothing was stored', error);
  return isStorageUnavailable(error) ? unavailable('the database cannot be reached; nothing was stored', error) : error;
}

const unavailable = (detail: string, cause: unknown): AppError =>
  new AppError('storage_unavailable', detail, { cause, headers: { 'retry-after': '2' } });
