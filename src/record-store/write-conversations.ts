// Writes the records of conversations: plain columns, sealed header and state, transcript, provider's document, recordings.
// One statement per table, however many conversations.
import type { Transaction } from '../database/with-scope.js';
import { COLUMNS, columnsOf } from './conversation-columns.js';
import { packedRows, packedTypes, replaced, unpacked } from './packed-rows.js';
import type { SealedConversation } from './sealed-conversation.js';
import { upsertRecordings } from './write-recordings.js';
import { upsertSealed } from './write-sealed.js';

/** Sends all statements together, in the caller's transaction. */
export async function writeConversations(tx: Transaction, rows: SealedConversation[]): Promise<void> {
  if (rows.length === 0) return;
  await Promise.all([upsertConversations(tx, rows), upsertSealed(tx, rows), upsertRecordings(tx, rows)]);
}

const NAMES = Object.keys(COLUMNS);
const HEADERS = ['header', 'transcript_header', 'analysis_header'] as const;
const KEPT = new Set(['id', 'client_id', 'provider', 'provider_account_id', 'created_at', 'updated_at']);
// Without a new revision `updated_at` stays, so that the same entity tag means the same content.
const UPDATED_AT = `updated_at = case when conversations.revision = excluded.revision then conversations.updated_at
  else excluded.updated_at end`;
const UPSERT = `
insert into conversations (${[...NAMES, ...HEADERS].join(', ')})
select ${Object.entries(COLUMNS)
  .map(([name, type]) => (type === 'time' ? `to_timestamp(${name} / 1000)` : name))
  .join(', ')}, ${unpacked(HEADERS)}
from json_to_recordset($1::json) as r(${Object.entries(COLUMNS)
  .map(([name, type]) => `${name} ${type === 'time' ? 'double precision' : type}`)
  .join(', ')}, ${packedTypes(HEADERS)})
on conflict (id) do update set ${replaced([...NAMES.filter((name) => !KEPT.has(name)), ...HEADERS])}, ${UPDATED_AT}`;

async function upsertConversations(tx: Transaction, rows: SealedConversation[]): Promise<void> {
  const packed = rows.map((row) => {
    const { record: header, transcript: transcript_header, analysis: analysis_header } = row.header;
    return { plain: columnsOf(row), sealed: { header, transcript_header, analysis_header } };
  });
  await tx.query({ name: 'conversations', text: UPSERT, values: packedRows(packed) });
}
