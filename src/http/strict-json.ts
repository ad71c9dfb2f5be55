// Parses JSON strictly (RFC 8259, I-JSON RFC 7493): refuses whatever two parsers could understand differently.
import { AppError } from '../common/errors.js';

const MAX_DEPTH = 32;

/** With the flag u a surrogate pair is one character, so this only matches single surrogates. */
const LONE_SURROGATE = /\p{Surrogate}/u;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The value of a JSON text. Throws `invalid_request` for bytes that are not UTF-8, text that is not JSON, values nested deeper
 * than 32, duplicate names in an object, lone surrogates, NUL, and names that could reach a prototype.
 */
export function parseStrictJson(body: Buffer): unknown {
  const text = decode(body);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw refused('the body is not JSON', cause);
  }
  checkTokens(text);
  return value;
}

function decode(body: Buffer): string {
  try {
    return utf8.decode(body);
  } catch (cause) {
    throw refused('the body is not UTF-8', cause);
  }
}

/** An array or object whose end has not been reached. */
interface OpenValue {
  /** Names so far; null in an array. */
  names: Set<string> | null;
  /** The name of this value in its parent object; null in an array and at the top. */
  parentName: string | null;
}

/** Checks a text that is known to be JSON. Without recursion, since callers choose the depth. */
function checkTokens(text: string): void {
  const open: OpenValue[] = [];
  let name: string | null = null;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '{' || character === '[') {
      open.push({ names: character === '{' ? new Set() : null, parentName: name });
      if (open.length > MAX_DEPTH) throw refused(`nested deeper than ${MAX_DEPTH} levels`);
      name = null;
    } else if (character === '}' || character === ']') {
      open.pop();
    } else if (character === '"') {
      const end = endOfString(text, at);
      const value = textOf(text.slice(at, end + 1));
      const object = isName(text, end) ? open.at(-1) : undefined;
      name = object === undefined ? null : value;
      if (object !== undefined) checkName(value, object);
      at = end;
    }
  }
}

/** The value of a string token. */
function textOf(token: string): string {
  if (!token.includes('\\')) return token.slice(1, -1);
  const value = JSON.parse(token) as string;
  if (value.includes('\0')) throw refused('NUL is not allowed');
  if (LONE_SURROGATE.test(value)) throw refused('lone surrogates are not allowed');
  return value;
}

function checkName(name: string, { names, parentName }: OpenValue): void {
  if (names?.has(name) === true) throw refused('an object has a duplicate name');
  if (name === '__proto__' || (name === 'prototype' && parentName === 'constructor'))
    throw refused(`the name ${name} is not allowed`);
  names?.add(name);
}

/** The closing quote of a string that begins at `from`. */
function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}

/** Whether the string that ends at `end` is a name: only names are followed by a colon. */
function isName(text: string, end: number): boolean {
  let at = end + 1;
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at += 1;
  return text[at] === ':';
}

const refused = (detail: string, cause?: unknown): AppError =>
  new AppError('invalid_request', `JSON: ${detail}`, { cause });
