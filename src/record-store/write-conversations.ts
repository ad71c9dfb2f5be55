// Writes the records of conversations: plain columns, sealed header and state, transcript, provider record, look-ups. One
// statement a table, however many conversations.
import type { Transaction } from '../database/with-scope.js';
import type { SealedRow } from './seal-conversation.js';

/** Purposes that content is sealed for; a blob does not open in another's place. */
export const PURPOSE = {
  header: 'header',
  state: 'state',
  record: 'provider_record',
  transcript: 'transcript',
} as const;

export interface Owner {
  conversationId: string;
  clientId: string;
  providerAccountId: string;
  provider: string;
  createdAt: Date;
}

/** Plain columns that intake writes, and how they travel: times as epoch milliseconds, so that every year fits. */
const COLUMNS = {
  ...{ id: 'uuid', client_id: 'uuid', provider: 'text', provider_account_id: 'uuid' },
  ...{ agent_id: 'uuid', agent_version: 'text', channel: 'text', direction: 'text', status: 'text' },
  ...{ record_state: 'text', start_time: 'time', end_time: 'time', duration_ms: 'bigint', end_category: 'text' },
  ...{ end_party: 'text', outcome: 'text', outcome_score: 'double precision', sentiment: 'text' },
  ...{ sentiment_score: 'double precision', language: 'text', turn_count: 'integer', transfer_count: 'integer' },
  ...{ cost_amount_micros: 'bigint', cost_currency: 'text', latency_p50_ms: 'integer', latency_p95_ms: 'integer' },
  ...{ latency_source: 'text', transcript_state: 'text', transcript_reason: 'text', transcript_due_at: 'time' },
  ...{ audio_state: 'text', audio_reason: 'text', audio_due_at: 'time', analysis_state: 'text' },
  ...{ analysis_reason: 'text', analysis_due_at: 'time', last_fact_at: 'time', last_turn_at: 'time' },
  ...{ holder: 'text', unfetched: 'boolean' },
  ...{ revision: 'integer', created_at: 'time', updated_at: 'time' },
} as const;

type Column = keyof typeof COLUMNS;

/** Values of the plain columns, for JSON. */
function columnsOf({ owner, agentId, record, revision }: SealedRow): Record<Column, string | number | boolean | null> {
  const { transcript, audio, analysis } = record.completeness;
  return {
    id: owner.conversationId,
    client_id: owner.clientId,
    provider: owner.provider,
    provider_account_id: owner.providerAccountId,
    agent_id: agentId,
    agent_version: record.agent?.version ?? null,
    channel: record.channel,
    direction: record.direction,
    status: record.status,
    record_state: record.recordState,
    start_time: record.startTime,
    end_time: record.endTime,
    duration_ms: record.durationMs,
    end_category: record.end?.category ?? null,
    end_party: record.end?.party ?? null,
    outcome: record.outcome?.value ?? null,
    outcome_score: record.outcome?.score ?? null,
    sentiment: record.sentiment?.label ?? null,
    sentiment_score: record.sentiment?.score ?? null,
    language: record.language,
    turn_count: record.turnCount,
    transfer_count: record.transferCount,
    cost_amount_micros: record.cost?.amount_micros ?? null,
    cost_currency: record.cost?.currency ?? null,
    latency_p50_ms: record.latency?.p50_ms ?? null,
    latency_p95_ms: record.latency?.p95_ms ?? null,
    latency_source: record.latency === null ? null : 'provider',
    transcript_state: transcript.state,
    transcript_reason: transcript.reason,
    transcript_due_at: transcript.dueAt,
    audio_state: audio.state,
    audio_reason: audio.reason,
    audio_due_at: audio.dueAt,
    analysis_state: analysis.state,
    analysis_reason: analysis.reason,
    analysis_due_at: analysis.dueAt,
    last_fact_at: record.lastFactAt,
    last_turn_at: record.lastTurnAt,
    holder: record.holder,
    unfetched: record.fetchable.length > 0,
    revision,
    created_at: owner.createdAt.getTime(),
    updated_at: Date.now(),
  };
}

/** All statements of these conversations, sent together; the transaction is the caller's. */
export async function writeConversations(tx: Transaction, rows: SealedRow[]): Promise<void> {
  if (rows.length === 0) return;
  await Promise.all([
    upsertConversations(tx, rows),
    upsertSealed(
      tx,
      'conversation_states',
      rows.map((row) => ({ row, bytes: row.state })),
    ),
    upsertSealed(tx, 'provider_records', having(rows, 'providerRecord')),
    upsertTranscripts(tx, having(rows, 'transcript')),
    upsertRecordings(tx, rows),
    replaceLookUps(tx, rows),
  ]);
}

interface SealedBytes {
  row: SealedRow;
  bytes: Buffer;
}

const having = (rows: SealedRow[], name: 'providerRecord' | 'transcript'): SealedBytes[] =>
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

async function upsertConversations(tx: Transaction, rows: SealedRow[]): Promise<void> {
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
    sealed.map(({ row }) => row.owner.conversationId),
    sealed.map(({ row }) => row.owner.clientId),
    places.map(({ from }) => from),
    places.map(({ bytes }) => bytes),
    Buffer.concat(pieces),
  ];
}

async function upsertSealed(
  tx: Transaction,
  table: 'conversation_states' | 'provider_records',
  sealed: SealedBytes[],
): Promise<void> {
  if (sealed.length === 0) return;
  const text = `insert into ${table} (conversation_id, client_id, sealed)
    select id, client_id, substr($5::bytea, sealed_from, bytes)
    from unnest($1::uuid[], $2::uuid[], $3::int[], $4::int[]) as r(id, client_id, sealed_from, bytes)
    on conflict (conversation_id) do update set sealed = excluded.sealed`;
  await tx.query({ name: table, text, values: sealedValues(sealed) });
}

const TRANSCRIPTS = `
insert into transcripts (conversation_id, client_id, revision, sealed)
select id, client_id, revision, substr($5::bytea, sealed_from, bytes)
from unnest($1::uuid[], $2::uuid[], $3::int[], $4::int[], $6::int[]) as r(id, client_id, sealed_from, bytes, revision)
on conflict (conversation_id) do update set revision = excluded.revision, sealed = excluded.sealed`;

async function upsertTranscripts(tx: Transaction, sealed: SealedBytes[]): Promise<void> {
  if (sealed.length === 0) return;
  const revisions = sealed.map(({ row }) => row.revision);
  await tx.query({ name: 'transcripts', text: TRANSCRIPTS, values: [...sealedValues(sealed), revisions] });
}

/** What a record comes to name is loose no longer; what it names no longer is (recordings/loose-objects.ts). */
const RECORDINGS = `
with stored as (
  select * from json_to_recordset($1::json) as r(id uuid, conversation_id uuid, client_id uuid, variant text, content_type text,
    bytes bigint, duration_ms bigint, object_key text, created_at double precision)
), named as (
  delete from loose_objects l using stored s where l.object_key = s.object_key
), unnamed as (
  insert into loose_objects (object_key, conversation_id)
  select r.object_key, r.conversation_id from recordings r join stored s using (conversation_id, variant)
  where r.object_key <> s.object_key on conflict do nothing
)
insert into recordings (id, conversation_id, client_id, variant, content_type, bytes, duration_ms, object_key, created_at)
select id, conversation_id, client_id, variant, content_type, bytes, duration_ms, object_key, to_timestamp(created_at / 1000)
from stored
on conflict (conversation_id, variant) do update set id = excluded.id, content_type = excluded.content_type,
  bytes = excluded.bytes, duration_ms = excluded.duration_ms, object_key = excluded.object_key, created_at = excluded.created_at`;

async function upsertRecordings(tx: Transaction, rows: SealedRow[]): Promise<void> {
  const recordings = rows.flatMap(({ owner, recordings: changed }) =>
    changed.map((recording) => ({ ...recording, conversation_id: owner.conversationId, client_id: owner.clientId })),
  );
  if (recordings.length === 0) return;
  await tx.query({ name: 'recordings', text: RECORDINGS, values: [JSON.stringify(recordings)] });
}

const LOOK_UPS = `
insert into blind_indexes (client_id, kind, hash, start_time, conversation_id)
select client_id, kind, decode(hash, 'hex'), to_timestamp(start_time / 1000), conversation_id
from json_to_recordset($1::json) as r(client_id uuid, kind text, hash text, start_time double precision, conversation_id uuid)
on conflict do nothing`;

async function replaceLookUps(tx: Transaction, rows: SealedRow[]): Promise<void> {
  const changed = rows.filter(({ lookUps }) => lookUps !== null);
  const old = changed.filter(({ isNew }) => !isNew).map(({ owner }) => owner.conversationId);
  const fresh = changed.flatMap(({ owner, record, lookUps }) =>
    (lookUps ?? []).map(({ kind, hash }) => ({
      ...{ client_id: owner.clientId, kind, hash: hash.toString('hex') },
      ...{ start_time: record.startTime, conversation_id: owner.conversationId },
    })),
  );
  const text = 'delete from blind_indexes where conversation_id = any($1::uuid[])';
  await Promise.all([
    old.length > 0 && tx.query({ name: 'look_ups_out', text, values: [old] }),
    fresh.length > 0 && tx.query({ name: 'look_ups_in', text: LOOK_UPS, values: [JSON.stringify(fresh)] }),
  ]);
}
