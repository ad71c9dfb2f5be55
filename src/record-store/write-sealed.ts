// Writes sealed content that has its own tables: state, provider's document, transcript.
import { DATA_CLASSES } from '../common/data-class.js';
import type { Transaction } from '../database/with-scope.js';
import { packedRows, packedTypes, replaced, unpacked, type RowToWrite } from './packed-rows.js';
import type { SealedConversation } from './sealed-conversation.js';

const COLUMNS = {
  conversation_states: DATA_CLASSES,
  provider_records: DATA_CLASSES,
  transcripts: ['sealed'],
} as const;

/** Replaces changed documents together with the revision that they are sealed for. */
export async function upsertSealed(tx: Transaction, rows: SealedConversation[]): Promise<void> {
  await Promise.all([
    upsert(
      tx,
      'conversation_states',
      rows.map((row) => rowOf(row, row.stateRevision, row.state)),
    ),
    upsert(
      tx,
      'provider_records',
      rows.flatMap((row) => (row.providerRecord ? [rowOf(row, row.stateRevision, row.providerRecord)] : [])),
    ),
    upsert(
      tx,
      'transcripts',
      rows.flatMap((row) => (row.transcript ? [rowOf(row, row.revision, { sealed: row.transcript })] : [])),
    ),
  ]);
}

const rowOf = (
  { ref: { conversationId: conversation_id, clientId: client_id } }: SealedConversation,
  revision: number,
  sealed: Record<string, Buffer | null>,
): RowToWrite => ({ plain: { conversation_id, client_id, revision }, sealed });

async function upsert(tx: Transaction, table: keyof typeof COLUMNS, rows: RowToWrite[]): Promise<void> {
  if (rows.length === 0) return;
  const columns = COLUMNS[table];
  const text = `insert into ${table} (conversation_id, client_id, revision, ${columns.join(', ')})
    select conversation_id, client_id, revision, ${unpacked(columns)}
    from json_to_recordset($1::json) as r(conversation_id uuid, client_id uuid, revision integer, ${packedTypes(columns)})
    on conflict (conversation_id) do update set revision = excluded.revision, ${replaced(columns)}`;
  await tx.query({ name: table, text, values: packedRows(rows) });
}
