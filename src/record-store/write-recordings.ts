// Writes rows of recordings and updates the list of orphaned objects.
import type { Transaction } from '../database/with-scope.js';
import type { SealedConversation } from './sealed-conversation.js';

/** Referenced objects leave the list of orphaned ones; an object whose copy was replaced enters it (recordings/orphaned-objects.ts). */
const RECORDINGS = `
with stored as (
  select * from json_to_recordset($1::json) as r(id uuid, conversation_id uuid, client_id uuid, variant text, content_type text,
    bytes bigint, duration_ms bigint, object_key text, created_at double precision)
), named as (
  delete from orphaned_objects l using stored s where l.object_key = s.object_key
), unnamed as (
  insert into orphaned_objects (object_key, conversation_id)
  select r.object_key, r.conversation_id from recordings r join stored s using (conversation_id, variant)
  where r.object_key <> s.object_key on conflict do nothing
)
insert into recordings (id, conversation_id, client_id, variant, content_type, bytes, duration_ms, object_key, created_at)
select id, conversation_id, client_id, variant, content_type, bytes, duration_ms, object_key, to_timestamp(created_at / 1000)
from stored
on conflict (conversation_id, variant) do update set id = excluded.id, content_type = excluded.content_type,
  bytes = excluded.bytes, duration_ms = excluded.duration_ms, object_key = excluded.object_key, created_at = excluded.created_at`;

/** Writes recordings that are new or have a new copy. */
export async function upsertRecordings(tx: Transaction, rows: SealedConversation[]): Promise<void> {
  const recordings = rows.flatMap(({ ref, recordings: changed }) =>
    changed.map((recording) => ({ ...recording, conversation_id: ref.conversationId, client_id: ref.clientId })),
  );
  if (recordings.length === 0) return;
  await tx.query({ name: 'recordings', text: RECORDINGS, values: [JSON.stringify(recordings)] });
}
