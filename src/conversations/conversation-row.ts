// Rows of conversations as Postgres gives them, and how one is found for a caller.
import { reachOf, type Caller } from '../access/caller.js';
import { AppError } from '../common/errors.js';
import type { Transaction } from '../database/with-scope.js';

export interface RecordingRow {
  id: string;
  variant: string;
  content_type: string;
  bytes: number;
  duration_ms: number | null;
}

/** bigint columns come as text. */
export interface ConversationRow {
  id: string;
  client_id: string;
  agent_id: string | null;
  agent_version: string | null;
  provider: string;
  provider_account_id: string;
  channel: string;
  direction: string | null;
  status: string;
  record_state: string;
  restricted: boolean;
  start_time: Date;
  end_time: Date | null;
  duration_ms: string | null;
  end_category: string | null;
  end_party: string | null;
  outcome: string | null;
  outcome_score: number | null;
  sentiment: string | null;
  sentiment_score: number | null;
  language: string | null;
  turn_count: number;
  transfer_count: number;
  cost_amount_micros: string | null;
  cost_currency: string | null;
  latency_p50_ms: number | null;
  latency_p95_ms: number | null;
  latency_source: string | null;
  transcript_state: string;
  transcript_reason: string | null;
  transcript_due_at: Date | null;
  audio_state: string;
  audio_reason: string | null;
  audio_due_at: Date | null;
  analysis_state: string;
  analysis_reason: string | null;
  analysis_due_at: Date | null;
  last_turn_at: Date | null;
  holder: string;
  header: Buffer | null;
  recordings: RecordingRow[];
  revision: number;
  created_at: Date;
  updated_at: Date;
}

const PLAIN_COLUMNS = [
  'id, client_id, agent_id, agent_version, provider, provider_account_id, channel, direction, status, record_state, restricted',
  'start_time, end_time, duration_ms, end_category, end_party, outcome, outcome_score, sentiment, sentiment_score, language',
  'turn_count, transfer_count, cost_amount_micros, cost_currency, latency_p50_ms, latency_p95_ms, latency_source',
  'transcript_state, transcript_reason, transcript_due_at, audio_state, audio_reason, audio_due_at',
  'analysis_state, analysis_reason, analysis_due_at, last_turn_at, holder, revision, created_at, updated_at',
]
  .join(', ')
  .split(', ');

const RECORDINGS = `
coalesce((select json_agg(json_build_object('id', r.id, 'variant', r.variant, 'content_type', r.content_type, 'bytes', r.bytes,
  'duration_ms', r.duration_ms) order by r.variant) from recordings r where r.conversation_id = c.id and r.client_id = c.client_id),
  '[]') as recordings`;

/** Select list over `conversations c`; the header only where it will be opened. */
export const columns = ({ header }: { header: boolean }): string =>
  [...PLAIN_COLUMNS.map((name) => `c.${name}`), header ? 'c.header' : 'null::bytea as header', RECORDINGS].join(', ');

interface Admission {
  identity_state: string;
  erased_at: Date | null;
  /** Null: the identity is known, its first fact not yet applied. */
  revision: number | null;
}

/**
 * A statement over conversations ($1) among clients ($2, null: all) with their identity rows, for {@link admitted};
 * `columns` of `c` and of what is joined.
 */
export const conversationStatement = (columns: string, join = ''): string => `
select ${columns}, c.revision, i.id as find_id, i.state as identity_state, i.erased_at
from conversation_identities i left join conversations c on c.id = i.id and c.client_id = i.client_id ${join}
where i.id = any($1::uuid[]) and ($2::uuid[] is null or i.client_id = any($2))`;

/** The first row, once it may be seen. Throws `not_found` (also for another client's) or `erased`. */
export function admitted<Row extends object>(rows: Row[]): Row {
  const [found] = rows as (Row & Admission)[];
  if (found === undefined) throw new AppError('not_found', 'there is no such conversation');
  if (found.identity_state !== 'live') {
    throw new AppError('erased', 'the conversation was erased', {
      members: { erased_at: found.erased_at?.toISOString() ?? null },
    });
  }
  if (found.revision === null) throw new AppError('not_found', 'there is no such conversation');
  return found;
}

const FIND = conversationStatement(columns({ header: true }));

/** The conversation. Throws `not_found` (also for another client's) or `erased`. Re-checks the identity row each time. */
export async function findConversation(tx: Transaction, caller: Caller, id: string): Promise<ConversationRow> {
  const values = [[id], reachOf(caller)];
  return admitted(await tx.query<ConversationRow>({ name: 'conversation_by_id', text: FIND, values }));
}

/** Content of a restricted conversation (GDPR Art. 18) is for compliance alone. */
export function refuseRestricted(caller: Caller, { restricted }: Pick<ConversationRow, 'restricted'>): void {
  if (restricted && caller.role !== 'compliance') {
    throw new AppError('restricted', 'processing of this conversation is restricted');
  }
}
