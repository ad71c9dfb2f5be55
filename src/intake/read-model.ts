// Writes the record of one conversation: plain columns, the sealed header, transcript, provider record, look-ups.
import type { Transaction } from '../database/with-scope.js';
import type { Turn } from '../providers/provider-fact.js';
import { sealJson, type DataKey } from '../vault/sealing.js';
import type { LookUp } from './look-ups.js';
import type { ConversationRecord } from './record.js';
import type { ConversationState } from './reducer.js';

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

const time = (ms: number | null): Date | null => (ms === null ? null : new Date(ms));

/** Column → value. The one list of plain columns that intake writes. */
function columnsOf(
  owner: Owner,
  agentId: string | null,
  record: ConversationRecord,
  revision: number,
): Record<string, unknown> {
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
    start_time: time(record.startTime),
    end_time: time(record.endTime),
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
    transcript_due_at: time(transcript.dueAt),
    audio_state: audio.state,
    audio_reason: audio.reason,
    audio_due_at: time(audio.dueAt),
    analysis_state: analysis.state,
    analysis_reason: analysis.reason,
    analysis_due_at: time(analysis.dueAt),
    last_fact_at: time(record.lastFactAt),
    last_turn_at: time(record.lastTurnAt),
    revision,
    created_at: owner.createdAt,
    updated_at: new Date(),
  };
}

interface Write {
  owner: Owner;
  agentId: string | null;
  record: ConversationRecord;
  state: ConversationState;
  revision: number;
  key: DataKey;
  blobs: Map<string, unknown>;
  /** Null: they did not change. */
  lookUps: LookUp[] | null;
}

/** All statements of one write, sent together; the transaction is the caller's. */
export async function writeConversation(tx: Transaction, write: Write): Promise<void> {
  const { owner, record, key, blobs } = write;
  await Promise.all([
    upsertConversation(tx, write),
    upsertSealed(tx, 'conversation_states', owner, sealJson(key, PURPOSE.state, write.state)),
    blobs.has('record') &&
      upsertSealed(tx, 'provider_records', owner, sealJson(key, PURPOSE.record, blobs.get('record'))),
    blobs.has('transcript') && upsertTranscript(tx, write, blobs.get('transcript') as Turn[]),
    ...record.recordings.map((recording) => insertRecording(tx, owner, recording)),
    write.lookUps && replaceLookUps(tx, owner, new Date(record.startTime), write.lookUps),
  ]);
}

function upsertConversation(tx: Transaction, { owner, agentId, record, revision, key }: Write): Promise<unknown> {
  const columns = {
    ...columnsOf(owner, agentId, record, revision),
    header: sealJson(key, PURPOSE.header, record.header),
  };
  const names = Object.keys(columns);
  const kept = new Set(['id', 'client_id', 'provider', 'provider_account_id', 'created_at']);
  const updates = names.filter((name) => !kept.has(name)).map((name) => `${name} = excluded.${name}`);
  return tx.query({
    name: 'conversation',
    text: `insert into conversations (${names.join(', ')}) values (${names.map((_, index) => `$${index + 1}`).join(', ')})
      on conflict (id) do update set ${updates.join(', ')}`,
    values: Object.values(columns),
  });
}

function upsertSealed(
  tx: Transaction,
  table: string,
  { conversationId, clientId }: Owner,
  sealed: Buffer,
): Promise<unknown> {
  return tx.query({
    name: table,
    text: `insert into ${table} (conversation_id, client_id, sealed) values ($1, $2, $3)
      on conflict (conversation_id) do update set sealed = excluded.sealed`,
    values: [conversationId, clientId, sealed],
  });
}

function upsertTranscript(tx: Transaction, { owner, revision, key, record }: Write, turns: Turn[]): Promise<unknown> {
  return tx.query({
    name: 'transcript',
    text: `insert into transcripts (conversation_id, client_id, revision, final, sealed) values ($1, $2, $3, $4, $5)
      on conflict (conversation_id) do update
      set revision = excluded.revision, final = excluded.final, sealed = excluded.sealed`,
    values: [
      owner.conversationId,
      owner.clientId,
      revision,
      record.completeness.transcript.state === 'present',
      sealJson(key, PURPOSE.transcript, turns),
    ],
  });
}

function insertRecording(
  tx: Transaction,
  owner: Owner,
  recording: ConversationRecord['recordings'][number],
): Promise<unknown> {
  return tx.query({
    name: 'recording',
    text: `insert into recordings (id, conversation_id, client_id, variant, content_type, bytes, duration_ms, object_key, created_at)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
      on conflict (conversation_id, variant) do update set id = excluded.id, content_type = excluded.content_type, bytes = excluded.bytes,
        duration_ms = excluded.duration_ms, object_key = excluded.object_key, created_at = excluded.created_at`,
    values: [
      ...[recording.id, owner.conversationId, owner.clientId, recording.variant, recording.content_type],
      ...[recording.bytes, recording.duration_ms, recording.object_key, new Date(recording.created_at)],
    ],
  });
}

async function replaceLookUps(tx: Transaction, owner: Owner, startTime: Date, lookUps: LookUp[]): Promise<void> {
  await Promise.all([
    tx.query({
      name: 'look_ups_out',
      text: 'delete from blind_indexes where conversation_id = $1',
      values: [owner.conversationId],
    }),
    tx.query({
      name: 'look_ups_in',
      text: `insert into blind_indexes (client_id, kind, hash, start_time, conversation_id)
        select $1, kind, hash, $4, $5 from unnest($2::text[], $3::bytea[]) as t(kind, hash) on conflict do nothing`,
      values: [
        owner.clientId,
        lookUps.map(({ kind }) => kind),
        lookUps.map(({ hash }) => hash),
        startTime,
        owner.conversationId,
      ],
    }),
  ]);
}
