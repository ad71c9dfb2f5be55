// Whose failure is it? Only what is wrong with a fact counts against it; for everything else it waits. Pure.
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

/** Runs what depends on nothing but the fact. Throws {@link FactFailure}. */
export function ofTheFact<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw new FactFailure(error);
  }
}

/** `away`: try again soon; `fact`: count it; `one`: ours, but perhaps about this fact alone; `all`: ours, whatever the fact. */
export type Blame = 'away' | 'fact' | 'one' | 'all';

/** https://www.postgresql.org/docs/18/errcodes-appendix.html: data exception, constraint violation, limit exceeded. */
const ABOUT_VALUES = /^(22|23|54)...$/;

const QUERY_CANCELED = '57014';

export function blameOf(error: unknown): Blame {
  if (error instanceof FactFailure || error instanceof KeyDestroyed) return 'fact';
  if (isStorageUnavailable(error)) return 'away';
  if (error instanceof AppError) {
    // These facts take too long; the next ones may not.
    if (sqlState(error.cause) === QUERY_CANCELED) return 'all';
    const isAway = error.code === 'storage_unavailable' || error.code === 'keystore_unavailable';
    return isAway ? 'away' : 'all';
  }
  const state = sqlState(error);
  return state === null || ABOUT_VALUES.test(state) ? 'one' : 'all';
}

/** A code to log and to park by. Messages may quote values, so they are left out. */
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
