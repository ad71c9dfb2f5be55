// The plain fields of a conversation: the value that the provider gives is stored and shown unchanged, under one name, and is
// not personal. Claims, checks, record, column, view and response schema are derived from this list.
import type { z } from 'zod';
import { code, oneOf, type PlainKind } from './plain-kinds.js';

const define = <Values>(kinds: { readonly [Name in keyof Values]: PlainKind<Values[Name]> }) => kinds;

const KINDS = define({
  direction: oneOf('inbound', 'outbound'),
  /** BCP 47; only the form is checked. */
  language: code(/^[a-z]{1,8}([-_][a-z0-9]{1,8}){0,4}$/i),
});

type ValueOf<Kind> = Kind extends PlainKind<infer Value> ? Value : never;

export type PlainField = keyof typeof KINDS;

/** Values as a document can claim them. */
export type PlainFields = { [Name in PlainField]: ValueOf<(typeof KINDS)[Name]> };

/** Values of a record or a row; null if nothing is claimed. */
export type PlainValues = { [Name in PlainField]: PlainFields[Name] | null };

export const PLAIN_NAMES = Object.keys(KINDS) as PlainField[];

export const PLAIN_KINDS: { readonly [Name in PlainField]: PlainKind<PlainFields[Name]> } = KINDS;

/** An object with one member for each plain field. */
const forEach = <Made>(make: (name: PlainField) => Made[keyof Made]): Made =>
  Object.fromEntries(PLAIN_NAMES.map((name) => [name, make(name)])) as Made;

/** Reads the value of every plain field. */
export const plainValues = (read: <Name extends PlainField>(name: Name) => PlainFields[Name] | null): PlainValues =>
  forEach<PlainValues>(read);

/** The plain fields of a record or a row, without its other members. */
export const plainOf = (from: PlainValues): PlainValues => forEach<PlainValues>((name) => from[name]);

/** Column types. */
export const PLAIN_COLUMNS = forEach<{ [Name in PlainField]: PlainKind<unknown>['column'] }>(
  (name) => KINDS[name].column,
);

/** Schemas of the API's responses. */
export const PLAIN_SCHEMAS = forEach<{ [Name in PlainField]: z.ZodNullable<z.ZodType<PlainFields[Name]>> }>((name) =>
  KINDS[name].shown.nullable(),
);
