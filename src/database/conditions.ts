// Conditions and options for repositories.
import { And, Equal, In, IsNull, MoreThan, type FindOperator } from 'typeorm';

/** Part of a `where`: the column meets all of these conditions; null ones are left out. */
export function meets<Column extends string>(
  column: Column,
  ...conditions: (FindOperator<string> | null)[]
): { [Name in Column]?: FindOperator<string> } {
  const given = conditions.filter((condition) => condition !== null);
  // TypeORM refuses a column whose condition is undefined.
  return given.length === 0 ? {} : ({ [column]: And(...given) } as { [Name in Column]?: FindOperator<string> });
}

/** This value. Null: any. */
export const exactly = (value: string | null): FindOperator<string> | null => (value === null ? null : Equal(value));

/** One of these uuids. Null: any. */
export const among = (ids: readonly string[] | null): FindOperator<string> | null => (ids === null ? null : In(ids));

/** Greater than this id: the next page of a list. Null: from the first. */
export const greaterThan = (id: string | null): FindOperator<string> | null => (id === null ? null : MoreThan(id));

/** For tables whose rows stay after deletion. */
export const NOT_DELETED = { deleted_at: IsNull() };

/** For `update`: the next revision, changed now. */
export const CHANGED = { revision: () => 'revision + 1', updated_at: () => 'now()' };

/** For `findOne`: locks the row until the end of the transaction. */
export const LOCKED = { lock: { mode: 'pessimistic_write' } } as const;
