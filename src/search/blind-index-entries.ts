// Blind-index entries of a conversation: values that can be looked up by equality without being readable.
import type { BlindIndexHasher, BlindIndexKind } from '../vault/blind-index-hasher.js';
import { last4, normaliseOpaque, normalisePhone, normaliseUserId } from '../common/normalise.js';
import type { Json } from '../providers/provider-fact.js';
import type { Header } from '../reducer/record.js';

export interface BlindIndexEntry {
  kind: BlindIndexKind;
  hash: Buffer;
}

type Value = [kind: BlindIndexKind, first: string, ...rest: string[]];

/** Longest metadata value that can be looked up; a longer one is content, not a key. */
const MAX_VALUE_LENGTH = 256;

/** The entries of a header, each once. */
export function blindIndexEntriesOf(header: Header, hasher: BlindIndexHasher): BlindIndexEntry[] {
  const hashes = new Map(
    valuesOf(header).map(([kind, ...value]) => [
      JSON.stringify([kind, ...value]),
      { kind, hash: hasher.hash(kind, ...value) },
    ]),
  );
  return [...hashes.values()];
}

function valuesOf(header: Header): Value[] {
  const found: Value[] = [];
  const number = header.customer_number === null ? null : normalisePhone(header.customer_number);
  if (number !== null) found.push(['phone', number], ['phone_last4', last4(number)]);
  const providerId = header.provider_conversation_id && normaliseOpaque(header.provider_conversation_id);
  if (providerId) found.push(['provider_id', providerId]);
  const userId = header.customer_user_id && normaliseUserId(header.customer_user_id);
  if (userId) found.push(['user_id', userId]);
  for (const { namespace, value } of header.correlation) found.push(['correlation', namespace, value]);
  for (const tag of header.tags) found.push(['tag', tag]);
  for (const [key, value] of Object.entries(header.metadata)) {
    const text = scalar(value);
    if (text !== null) found.push(['metadata', key, text]);
  }
  for (const { target } of header.transfers) {
    const value = target.value && (normalisePhone(target.value) ?? normaliseOpaque(target.value));
    if (value) found.push(['transfer_target', value]);
  }
  return found;
}

function scalar(value: Json): string | null {
  if (value === null || typeof value === 'object') return null;
  const text = String(value);
  return text.length > MAX_VALUE_LENGTH ? null : text;
}
