// Makes JSON storable: no NUL, no lone surrogates, no numbers that JSON cannot express, limited depth. Pure.
import type { Json } from './provider-fact.js';

/** Deeper documents would exhaust the stack of recursive functions. */
export const MAX_DEPTH = 64;

/** What was changed or left out; a code for logs and metrics. */
export type Omission =
  | 'characters'
  | 'numbers'
  | 'depth'
  | 'times'
  | 'texts'
  | 'turns'
  | 'agents'
  | 'transfers'
  | 'recordings'
  | 'metadata'
  | 'correlation';

export type Note = (what: Omission) => void;

/** Returns the value itself if it can be stored as it is: most can, and checking is cheaper than copying. */
export const storableJson = (value: Json, note: Note): Json => (isStorable(value, 0) ? value : cleaned(value, 0, note));

/** Replaces NUL and lone surrogates by U+FFFD. */
export function storableText(text: string, note: Note): string {
  if (isClean(text)) return text;
  note('characters');
  return text.toWellFormed().replaceAll('\0', '\uFFFD');
}

const isClean = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

function isStorable(value: Json, depth: number): boolean {
  if (typeof value === 'string') return isClean(value);
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  if (depth >= MAX_DEPTH) return false;
  if (Array.isArray(value)) return value.every((inner) => isStorable(inner, depth + 1));
  for (const name in value) if (!isClean(name) || !isStorable(value[name] ?? null, depth + 1)) return false;
  return true;
}

function cleaned(value: Json, depth: number, note: Note): Json {
  if (typeof value === 'string') return storableText(value, note);
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return value;
    note('numbers');
    return null;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) {
    note('depth');
    return null;
  }
  if (Array.isArray(value)) return value.map((inner) => cleaned(inner, depth + 1, note));
  const entries = Object.entries(value).map(
    ([name, inner]) => [storableText(name, note), cleaned(inner, depth + 1, note)] as const,
  );
  return Object.fromEntries(entries);
}
