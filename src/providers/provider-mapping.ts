// Helpers shared by the mappers of all providers. Pure.
import type { Fields, Json } from './provider-fact.js';

/** Leaves out fields without a value; an empty text claims nothing. */
export function compact(fields: { [Key in keyof Fields]?: Fields[Key] | '' | null | undefined }): Partial<Fields> {
  const claimed = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined && value !== '');
  return Object.fromEntries(claimed);
}

/** The document without members, at any depth, whose name is secret; the same object if there are none. */
export function withoutMembers(value: Json, isSecret: (name: string) => boolean): Json {
  return holdsMember(value, isSecret) ? copyWithout(value, isSecret) : value;
}

/** Most documents contain no secret, and searching is much cheaper than copying. */
function holdsMember(value: Json, isSecret: (name: string) => boolean): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some((inner) => holdsMember(inner, isSecret));
  for (const name in value) if (isSecret(name) || holdsMember(value[name] ?? null, isSecret)) return true;
  return false;
}

function copyWithout(value: Json, isSecret: (name: string) => boolean): Json {
  if (Array.isArray(value)) return value.map((inner) => copyWithout(inner, isSecret));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => (isSecret(name) ? [] : [[name, copyWithout(inner, isSecret)]])),
  );
}

/** The parsed JSON, or the text itself if it does not parse. */
export function jsonOrText(text: string | null | undefined): Json {
  if (text === null || text === undefined) return null;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

/** Seconds → whole milliseconds. */
export const toMs = (seconds: number | null | undefined): number | null =>
  seconds === null || seconds === undefined ? null : Math.round(seconds * 1000);

/** Whether a request that got this HTTP status may succeed later. */
export const isRetryable = (status: number): boolean =>
  status === 408 || status === 409 || status === 429 || status >= 500;
