// Entries of the blind index, which go with the header that they were made from.
import type { Transaction } from '../database/with-scope.js';
import type { SealedConversation } from './sealed-conversation.js';

const DELETE = 'delete from blind_indexes where conversation_id = any($1::uuid[])';
const INSERT = `
insert into blind_indexes (client_id, kind, hash, start_time, conversation_id)
select client_id, kind, decode(hash, 'hex'), to_timestamp(start_time / 1000), conversation_id
from json_to_recordset($1::json) as r(client_id uuid, kind text, hash text, start_time double precision, conversation_id uuid)
on conflict do nothing`;

/** Replaces the entries of conversations whose header has changed. */
export async function replaceBlindIndexEntries(tx: Transaction, rows: SealedConversation[]): Promise<void> {
  const changed = rows.filter(({ blindIndexEntries: entries }) => entries !== null);
  const old = changed.filter(({ isNew }) => !isNew).map(({ ref }) => ref.conversationId);
  const fresh = changed.flatMap(({ ref, record, blindIndexEntries: entries }) =>
    (entries ?? []).map(({ kind, hash }) => ({
      client_id: ref.clientId,
      kind,
      hash: hash.toString('hex'),
      start_time: record.startTime,
      conversation_id: ref.conversationId,
    })),
  );
  await Promise.all([
    old.length > 0 && tx.query({ name: 'blind_indexes_out', text: DELETE, values: [old] }),
    fresh.length > 0 && tx.query({ name: 'blind_indexes_in', text: INSERT, values: [JSON.stringify(fresh)] }),
  ]);
}
