// Classifies failures of applying facts. Only a fact's own failure counts against it; for others it is postponed. Pure.
import { AppError } from '../common/errors.js';
import { isStorageUnavailable } from '../database/failures.js';
import { KeyDestroyed, VaultError } from '../vault/errors.js';

/** A fact cannot be opened, interpreted or reduced. */
export class FactFailure extends Error {
  constructor(cause: unknown) {
    super('a fact cannot be opened, interpreted or reduced', { cause });
    this.name = 'FactFailure';
  }
}

/** Runs work that depends only on the fact, so its errors are the fact's: throws them as {@link FactFailure}. */
export function attributeToFact<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw new FactFailure(error);
  }
}

/**
 * What a failure concerns. `unavailable`: a database or keystore, retry soon; `fact`: the fact itself, count it; `one`: not
 * the fact's fault, but perhaps specific to it, so apply facts one by one; `all`: every fact of the conversation, postpone all.
 */
export type FailureScope = 'unavailable' | 'fact' | 'one' | 'all';

/** https://www.postgresql.org/docs/18/errcodes-appendix.html: data exception, constraint violation, limit exceeded. */
const ABOUT_VALUES = /^(22|23|54)...$/;

const QUERY_CANCELED = '57014';

export function failureScopeOf(error: unknown): FailureScope {
  if (error instanceof FactFailure || error instanceof KeyDestroyed) return 'fact';
  if (isStorageUnavailable(error)) return 'unavailable';
  if (error instanceof AppError) {
    // A statement timeout: these facts take too long, others may not.
    if (sqlState(error.cause) === QUERY_CANCELED) return 'all';
    const isUnavailable = error.code === 'storage_unavailable' || error.code === 'keystore_unavailable';
    return isUnavailable ? 'unavailable' : 'all';
  }
  const state = sqlState(error);
  return state === null || ABOUT_VALUES.test(state) ? 'one' : 'all';
}

/** The code to log and to park with. Messages are left out, since they may quote values. */
export function codeOf(error: unknown): string {
  if (error instanceof FactFailure) return codeOf(error.cause);
  if (error instanceof VaultError) return error.reason;
  if (error instanceof AppError) return error.code;
  return sqlState(error) ?? (error instanceof Error ? error.name : 'unknown');
}

function sqlState(error: unknown): string | null {
  const has = typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string';
  return has ? (error.code as string) : null;
}
