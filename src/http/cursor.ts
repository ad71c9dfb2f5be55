// Cursors: the position after a page and a fingerprint of its filter and sort, signed so that callers cannot change them.
import { createHash, timingSafeEqual } from 'node:crypto';
import { canonicalJson } from '../common/canonical-json.js';
import { AppError } from '../common/errors.js';
import type { SigningKeys } from '../vault/signing-keys.js';

export type CursorValue = string | number | null;

const VERSION = 1;
const SIGNATURE_BYTES = 16;

/** Short hash of a list's name, filter and sort (any JSON value, independent of key order). Not of `limit` and `cursor`. */
export const fingerprintOf = (query: unknown): string =>
  createHash('sha256').update(canonicalJson(query)).digest('base64url').slice(0, 16);

export class Cursors {
  constructor(private readonly keys: SigningKeys) {}

  /** A cursor for the row with these sort values. It is not encrypted, so never pass sealed values. */
  async encode(position: CursorValue[], fingerprint: string): Promise<string> {
    const body = Buffer.from(JSON.stringify([VERSION, fingerprint, ...position]));
    return Buffer.concat([await this.signature(body), body]).toString('base64url');
  }

  /** The sort values of a cursor. Throws `invalid_cursor` (not signed by us) or `cursor_mismatch` (another filter or sort). */
  async decode(cursor: string, fingerprint: string): Promise<CursorValue[]> {
    const bytes = Buffer.from(cursor, 'base64url');
    const body = bytes.subarray(SIGNATURE_BYTES);
    const isComplete = bytes.length > SIGNATURE_BYTES && bytes.toString('base64url') === cursor;
    const isOurs = isComplete && timingSafeEqual(bytes.subarray(0, SIGNATURE_BYTES), await this.signature(body));
    if (!isOurs) throw refusal('invalid_cursor', 'was not issued by this installation');
    const [version, of, ...position] = JSON.parse(body.toString('utf8')) as [number, string, ...CursorValue[]];
    if (version !== VERSION) throw refusal('invalid_cursor', 'is of an older version: start again from the first page');
    if (of !== fingerprint) throw refusal('cursor_mismatch', 'belongs to another filter or sort');
    return position;
  }

  private async signature(body: Buffer): Promise<Buffer> {
    return (await this.keys.sign('cursor', body)).subarray(0, SIGNATURE_BYTES);
  }
}

const refusal = (code: 'invalid_cursor' | 'cursor_mismatch', detail: string): AppError =>
  new AppError(code, `cursor ${detail}`, { errors: [{ parameter: 'cursor', detail }] });
