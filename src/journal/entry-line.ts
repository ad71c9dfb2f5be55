// An entry as a line of the log, of which the leaf hash is taken. Pure. Lines are not stored: they are made again from the
// row, so what a line of version 1 says of a row is fixed for ever. A change is a version 2, for entries that are numbered from
// then on; `journal_sequence.version` says which one was hashed.
import { createHash } from 'node:crypto';
import { NIL } from 'uuid';
import { publicId } from '../common/ids.js';
import type { JournalEntryEntity } from '../database/entities/journal-entry.entity.js';

/** Of the lines that are made now. */
export const LINE_VERSION = 1;

/** RFC 6962, section 2.1: leaves and inner nodes never hash the same bytes. */
const LEAF_PREFIX = Buffer.of(0);

/**
 * The line of an entry, without a newline: canonical JSON (RFC 8785) of everything that its row says but its position, which
 * counts the entries of all clients. Ids are public ones, apart from `object_ids`, whose kind the row does not know. The order
 * of arrays is that of the row.
 */
export function entryLine(entry: JournalEntryEntity): string {
  // Members stand in canonical order.
  return JSON.stringify({
    action: entry.action,
    actor: { id: entry.actor_id, type: entry.actor_type },
    changes: entry.changes,
    client_id: entry.client_id === NIL ? 'system' : publicId('client', entry.client_id),
    conversation_id: entry.conversation_id === null ? null : publicId('conversation', entry.conversation_id),
    id: publicId('journalEntry', entry.id),
    listed_sha256: entry.listed_hash?.toString('hex') ?? null,
    object_ids: entry.object_ids,
    purpose: entry.purpose,
    reason: entry.reason,
    revision: entry.revision,
    time: entry.time.toISOString(),
    v: LINE_VERSION,
    workflow_id: entry.workflow_id,
  });
}

/** RFC 6962 hash of a leaf. */
export const leafHash = (line: string): Buffer => createHash('sha256').update(LEAF_PREFIX).update(line).digest();

/**
 * What an entry says of the conversations (uuids) on a page of a list: SHA-256 of the JSON array of their public ids, sorted.
 * The line has this hash instead of the ids, so that it can be made from the entry's row alone, whatever becomes of the rows
 * that name them.
 */
export const listedHash = (conversationIds: readonly string[]): Buffer =>
  createHash('sha256')
    .update(JSON.stringify(conversationIds.map((id) => publicId('conversation', id)).sort()))
    .digest();
