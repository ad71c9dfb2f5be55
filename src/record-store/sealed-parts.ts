// Documents split by class, each part sealed with the key of its class.
import { mapParts, type ByClass, type DataClass } from '../common/data-class.js';
import type { ConversationKeys } from '../vault/conversation-keys.js';
import { openJson, sealJson } from '../vault/sealing/sealing.js';
import { purposeOf, type DocumentKind } from './seal-purposes.js';

/** As stored in a row; null: no such part. */
export type SealedParts = Record<DataClass, Buffer | null>;

/** Seals a document for the revision of its row, without parts whose key was destroyed. */
export function sealParts(
  keys: ConversationKeys,
  { kind, revision }: { kind: DocumentKind; revision: number },
  parts: ByClass<unknown>,
): SealedParts {
  const purpose = purposeOf(kind, revision);
  const sealed = mapParts(parts, (part, dataClass) => {
    const key = keys.find(dataClass);
    return key && sealJson(key, purpose, part);
  });
  const { record = null, transcript = null, audio = null, analysis = null } = sealed;
  return { record, transcript, audio, analysis };
}

/**
 * Opens the stored parts, without those whose key was destroyed. `keys` must have been requested for all stored parts. Throws
 * VaultError `open_failed`.
 */
export function openParts(
  keys: ConversationKeys,
  { kind, revision }: { kind: DocumentKind; revision: number },
  sealed: ByClass<Buffer | null>,
): ByClass<unknown> {
  const opened: ByClass<unknown> = {};
  for (const [dataClass, bytes] of Object.entries(sealed) as [DataClass, Buffer | null][]) {
    const key = bytes && keys.find(dataClass);
    if (bytes !== null && key !== null) opened[dataClass] = openJson(key, purposeOf(kind, revision), bytes);
  }
  return opened;
}
