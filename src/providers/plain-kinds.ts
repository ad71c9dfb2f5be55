// Kinds of plain fields: how a value is checked, the type of its column, its schema in responses. Pure.
import { z } from 'zod';

export interface PlainKind<Value> {
  /** Not bigint, which the driver returns as text: a row must have the value itself. */
  readonly column: 'text' | 'integer' | 'double precision' | 'boolean';
  /** Noted when a value is left out. */
  readonly omission: 'texts' | 'numbers';
  /** The value to store; null if it cannot be stored. */
  readonly stored: (value: Value) => Value | null;
  /** Schema of the API's responses. */
  readonly shown: z.ZodType<Value>;
}

/** The largest value of an integer column. */
const LARGEST_INTEGER = 2_147_483_647;

/** A whole number from 0 to `most`: fractions are rounded, any other value gives null. */
export function wholeUpTo(most: number, value: number): number | null {
  const rounded = Math.round(value);
  // No negative zero: as text it is another number.
  return rounded >= 0 && rounded <= most ? Math.abs(rounded) : null;
}

/** Null if the number is too large to be exact. */
export const exactNumber = (value: number): number | null =>
  Math.abs(value) <= Number.MAX_SAFE_INTEGER ? value : null;

/** One of a fixed list of values. */
export const oneOf = <const Word extends string>(...words: Word[]): PlainKind<Word> => ({
  column: 'text',
  omission: 'texts',
  stored: (value) => (words.includes(value) ? value : null),
  shown: z.enum(words),
});

/** A short code. `form` must match all of it, limit its length and allow no spaces: plain columns hold no personal data. */
export const code = (form: RegExp): PlainKind<string> => ({
  column: 'text',
  omission: 'texts',
  stored: (value) => (form.test(value) ? value : null),
  shown: z.string(),
});

/** A count or a duration in milliseconds, from 0 to `most`. */
export const whole = (most: number): PlainKind<number> => ({
  column: 'integer',
  omission: 'numbers',
  stored: (value) => wholeUpTo(Math.min(most, LARGEST_INTEGER), value),
  shown: z.int(),
});

/** A score or a ratio, from `least` to `most`. */
export const measure = (least: number, most: number): PlainKind<number> => ({
  column: 'double precision',
  omission: 'numbers',
  stored: (value) => (value >= least && value <= most ? value : null),
  shown: z.number(),
});

/** True or false. */
export const flag = (): PlainKind<boolean> => ({
  column: 'boolean',
  omission: 'texts',
  stored: (value) => value,
  shown: z.boolean(),
});
