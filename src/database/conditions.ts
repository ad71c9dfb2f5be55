// What repositories ask for, in TypeORM's words.
import { And, Equal, In, IsNull, MoreThan, type FindOperator } from 'typeorm';

/** Part of a `where`: the column meets all of these. Null says nothing about it. */
export function meets<Column extends string>(
  column: Column,
  ...conditions: (FindOperator<string> | null)[]
): { [Name in Column]?: FindOperator<string> } {
  const said = conditions.filter((condition) => condition !== null);
  // TypeORM refuses a column whose condition is undefined.
  return said.length === 0 ? {} : ({ [column]: And(...said) } as { [Name in Column]?: FindOperator<string> });
}

/** This value. Null: any. */
export const exactly = (value: string | null): FindOperator<string> | null => (value === null ? null : Equal(value));

/** One of these uuids. Null: any. */
export const among = (ids: readonly string[] | null): FindOperator<string> | null => (ids === null ? null : In(ids));

/** Behind this one, in the order of a list. Null: from its beginning. */
export const behind = (id: string | null): FindOperator<string> | null => (id === null ? null : MoreThan(id));

/** Of rows that stay when what they stand for is gone. */
export const NOT_DELETED = { deleted_at: IsNull() };

/** For `update`: the row is changed once more, now. */
export const CHANGED = { revision: () => 'revision + 1', updated_at: () => 'now()' };

/** For `findOne`: until the end of the transaction nobody else changes it. */
export const LOCKED = { lock: { mode: 'pessimistic_write' } } as const;
