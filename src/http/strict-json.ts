// JSON as RFC 8259 and I-JSON (RFC 7493) want it: what two readers could understand differently is refused, not repaired.
import { AppError } from '../common/errors.js';

const MAX_DEPTH = 32;

/** With the flag u, a pair is one character, and no surrogate. */
const LONE_SURROGATE = /\p{Surrogate}/u;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * The value of a JSON text. Throws `invalid_request` for bytes that are not UTF-8, text that is not JSON, values nested deeper
 * than 32, a name twice in an object, a lone surrogate, NUL, and names that could reach a prototype.
 */
export function parseStrictJson(body: Buffer): unknown {
  const text = decoded(body);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw refused('the body is not JSON', cause);
  }
  checkTokens(text);
  return value;
}

function decoded(body: Buffer): string {
  try {
    return utf8.decode(body);
  } catch (cause) {
    throw refused('the body is not UTF-8', cause);
  }
}

/** What is open at a place of the text. */
interface Open {
  /** Names so far; null in an array. */
  names: Set<string> | null;
  /** The name that the object stands under. */
  under: string | null;
}

/** Goes over a text that is known to be JSON. No recursion: depth is somebody else's choice. */
function checkTokens(text: string): void {
  const open: Open[] = [];
  let name: string | null = null;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '{' || character === '[') {
      open.push({ names: character === '{' ? new Set() : null, under: name });
      if (open.length > MAX_DEPTH) throw refused(`deeper than ${MAX_DEPTH} levels`);
      name = null;
    } else if (character === '}' || character === ']') {
      open.pop();
    } else if (character === '"') {
      const end = endOfString(text, at);
      const value = textOf(text.slice(at, end + 1));
      const within = isName(text, end) ? open.at(-1) : undefined;
      name = within === undefined ? null : value;
      if (within !== undefined) checkName(value, within);
      at = end;
    }
  }
}

/** What a token of a string says. */
function textOf(token: string): string {
  if (!token.includes('\\')) return token.slice(1, -1);
  const value = JSON.parse(token) as string;
  if (value.includes('\0')) throw refused('NUL is no text');
  if (LONE_SURROGATE.test(value)) throw refused('a surrogate stands alone');
  return value;
}

function checkName(name: string, { names, under }: Open): void {
  if (names?.has(name) === true) throw refused('an object has a name twice');
  if (name === '__proto__' || (name === 'prototype' && under === 'constructor')) throw refused(`${name} is no name`);
  names?.add(name);
}

/** The closing quote of a string that begins at `from`. */
function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}

/** Outside of strings, a colon follows names alone. */
function isName(text: string, end: number): boolean {
  let at = end + 1;
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at += 1;
  return text[at] === ':';
}

const refused = (detail: string, cause?: unknown): AppError =>
  new AppError('invalid_request', `JSON: ${detail}`, { cause });
