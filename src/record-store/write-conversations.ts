// Writes the records of conversations: plain columns, sealed header and state, transcript, provider record, recordings.
// One statement a table, however many conversations.
import type { Transaction } from '../database/with-scope.js';
import { COLUMNS, columnsOf } from './conversation-columns.js';
import type { SealedConversation } from './sealed-conversation.js';
import { upsertRecordings } from './write-recordings.js';

/** All statements of these conversations, sent together; the transaction is the caller's. */
export async function writeConversations(tx: Transaction, rows: SealedConversation[]): Promise<void> {
  if (rows.length === 0) return;
  await Promise.all([
    upsertConversations(tx, rows),
    upsertSealed(
      tx,
      'conversation_states',
      rows.map((row) => ({ row, bytes: row.state })),
    ),
    upsertSealed(tx, 'provider_records', having(rows, 'providerRecord')),
    upsertSealed(tx, 'transcripts', having(rows, 'transcript')),
    upsertRecordings(tx, rows),
  ]);
}

interface SealedBytes {
  row: SealedConversation;
  bytes: Buffer;
}

const having = (rows: SealedConversation[], name: 'providerRecord' | 'transcript'): SealedBytes[] =>
  rows.flatMap((row) => {
    const bytes = row[name];
    return bytes === null ? [] : [{ row, bytes }];
  });

/** Sealed bytes travel as one binary parameter, cut by these: in JSON or an array they would be text, twice as long. */
function placesOf(pieces: Buffer[]): { from: number; bytes: number }[] {
  let next = 1;
  return pieces.map(({ length }) => {
    const from = next;
    next += length;
    return { from, bytes: length };
  });
}

const NAMES = Object.keys(COLUMNS);
const KEPT = new Set(['id', 'client_id', 'provider', 'provider_account_id', 'created_at', 'updated_at']);
// Facts that change nothing move neither the revision nor the time: what has the same entity tag is the same.
const UPDATED_AT = `updated_at = case when conversations.revision = excluded.revision then conversations.updated_at
  else excluded.updated_at end`;
const UPSERT = `
insert into conversations (${NAMES.join(', ')}, header)
select ${Object.entries(COLUMNS)
  .map(([name, type]) => (type === 'time' ? `to_timestamp(${name} / 1000)` : name))
  .join(', ')}, substr($2::bytea, "from", bytes)
from json_to_recordset($1::json) as r(${Object.entries(COLUMNS)
  .map(([name, type]) => `${name} ${type === 'time' ? 'double precision' : type}`)
  .join(', ')}, "from" integer, bytes integer)
on conflict (id) do update set ${[...NAMES.filter((name) => !KEPT.has(name)), 'header']
  .map((name) => `${name} = excluded.${name}`)
  .join(', ')}, ${UPDATED_AT}`;

async function upsertConversations(tx: Transaction, rows: SealedConversation[]): Promise<void> {
  const headers = rows.map(({ header }) => header);
  const places = placesOf(headers);
  const json = JSON.stringify(rows.map((row, index) => ({ ...columnsOf(row), ...places[index] })));
  await tx.query({ name: 'conversations', text: UPSERT, values: [json, Buffer.concat(headers)] });
}

/** $1 conversations, $2 clients, $3 from, $4 lengths, $5 all bytes. */
function sealedValues(sealed: SealedBytes[]): unknown[] {
  const pieces = sealed.map(({ bytes }) => bytes);
  const places = placesOf(pieces);
  return [
    sealed.map(({ row }) => row.ref.conversationId),
    sealed.map(({ row }) => row.ref.clientId),
    places.map(({ from }) => from),
    places.map(({ bytes }) => bytes),
    Buffer.concat(pieces),
  ];
}

async function upsertSealed(
  tx: Transaction,
  table: 'conversation_states' | 'provider_records' | 'transcripts',
  sealed: SealedBytes[],
): Promise<void> {
  if (sealed.length === 0) return;
  const text = `insert into ${table} (conversation_id, client_id, revision, sealed)
    select id, client_id, revision, substr($5::bytea, sealed_from, bytes)
    from unnest($1::uuid[], $2::uuid[], $3::int[], $4::int[], $6::int[]) as r(id, client_id, sealed_from, bytes, revision)
    on conflict (conversation_id) do update set revision = excluded.revision, sealed = excluded.sealed`;
  const revisions = sealed.map(({ row }) => row[table === 'transcripts' ? 'revision' : 'stateRevision']);
  await tx.query({ name: table, text, values: [...sealedValues(sealed), revisions] });
}
