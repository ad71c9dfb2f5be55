// Shorthands for TypeORM conditions and options in repositories.
import { And, Equal, In, IsNull, MoreThan, type FindOperator } from 'typeorm';

/** Part of a `where`: the column meets all of these conditions; null conditions are left out. */
export function meets<Column extends string>(
  column: Column,
  ...conditions: (FindOperator<string> | null)[]
): { [Name in Column]?: FindOperator<string> } {
  const given = conditions.filter((condition) => condition !== null);
  // TypeORM refuses a column whose condition is undefined.
  return given.length === 0 ? {} : ({ [column]: And(...given) } as { [Name in Column]?: FindOperator<string> });
}

/** Equal to this value; null: no condition. */
export const exactly = (value: string | null): FindOperator<string> | null => (value === null ? null : Equal(value));

/** One of these uuids; null: no condition. */
export const among = (ids: readonly string[] | null): FindOperator<string> | null => (ids === null ? null : In(ids));

/** Greater than this id, for the next page of a list; null: no condition. */
export const greaterThan = (id: string | null): FindOperator<string> | null => (id === null ? null : MoreThan(id));

/** For tables with soft deletion. */
export const NOT_DELETED = { deleted_at: IsNull() };

/** For `update`: increments the revision and sets `updated_at`. */
export const NEXT_REVISION = { revision: () => 'revision + 1', updated_at: () => 'now()' };

/** For `findOne`: locks the row until the end of the transaction. */
export const FOR_UPDATE = { lock: { mode: 'pessimistic_write' } } as const;
