// Converts a row, and its opened header, to the API's conversation object. Pure.
import { publicId } from '../common/ids.js';
import { plainOf } from '../providers/plain-fields.js';
import type { Header, Segment, TransferRecord } from '../reducer/record.js';
import type { ConversationRow } from './conversation-row.js';
import type { BasicConversation, FullConversation } from './conversation.schema.js';

/** URL of the workflow in the Temporal UI; null if none is configured. */
export type WorkflowUrl = (workflowId: string) => string | null;

const iso = (time: Date | null): string | null => time?.toISOString() ?? null;
const isoMs = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
const number = (text: string | null): number | null => (text === null ? null : Number(text));

/** The fields that are not sealed. */
export function basicView(row: ConversationRow, workflowUrl: WorkflowUrl): BasicConversation {
  const id = publicId('conversation', row.id);
  const workflowId = `conversation/${id}`;
  // Casts are safe where a CHECK constraint allows only the values of the schema.
  return {
    id,
    object: 'conversation',
    client_id: publicId('client', row.client_id),
    agent_id: row.agent_id === null ? null : publicId('agent', row.agent_id),
    agent_version: row.agent_version,
    provider: row.provider,
    provider_account_id: publicId('providerAccount', row.provider_account_id),
    channel: row.channel as BasicConversation['channel'],
    ...plainOf(row),
    status: row.status as BasicConversation['status'],
    record_state: row.record_state as BasicConversation['record_state'],
    restricted: row.restricted,
    start_time: row.start_time.toISOString(),
    end_time: iso(row.end_time),
    duration_ms: number(row.duration_ms),
    end: row.end_category === null ? null : { category: row.end_category, party: row.end_party },
    outcome: outcomeOf(row),
    sentiment: row.sentiment === null ? null : { label: row.sentiment as 'neutral', score: row.sentiment_score },
    turn_count: row.turn_count,
    transfer_count: row.transfer_count,
    cost: costOf(row),
    latency: latencyOf(row),
    completeness: completenessOf(row),
    recordings: row.recordings.map((recording) => ({
      ...recording,
      id: publicId('recording', recording.id),
      variant: recording.variant as BasicConversation['recordings'][number]['variant'],
    })),
    linked_conversations: [],
    retention: { purge_at: null, on_hold: false },
    capabilities: [],
    workflow: { id: workflowId, url: workflowUrl(workflowId) },
    revision: row.revision,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

/** All fields. */
export function fullView(row: ConversationRow, header: Header, workflowUrl: WorkflowUrl): FullConversation {
  const basic = basicView(row, workflowUrl);
  return {
    ...basic,
    provider_conversation_id: header.provider_conversation_id,
    customer: {
      phone_number: header.customer_number,
      name: null,
      email: null,
      user_id: header.customer_user_id,
      presentation: header.presentation,
    },
    agent_number: header.agent_number,
    end: basic.end && { ...basic.end, provider_reason: header.provider_reason },
    outcome: basic.outcome && { ...basic.outcome, rationale: header.rationale },
    title: header.title,
    summary: header.summary,
    segments: header.segments.map(segmentView),
    transfers: header.transfers.map(transferView),
    tags: header.tags,
    metadata: header.metadata,
    variables: { ...header.variables, ...header.collected_variables },
    correlation: header.correlation,
  };
}

function outcomeOf({ outcome, outcome_score }: ConversationRow): BasicConversation['outcome'] {
  return outcome === null ? null : { value: outcome as 'unknown', score: outcome_score, evaluator: 'provider' };
}

function costOf({ cost_amount_micros, cost_currency }: ConversationRow): BasicConversation['cost'] {
  if (cost_amount_micros === null || cost_currency === null) return null;
  return { amount_micros: Number(cost_amount_micros), currency: cost_currency };
}

function latencyOf(row: ConversationRow): BasicConversation['latency'] {
  return row.latency_source === null
    ? null
    : { p50_ms: row.latency_p50_ms, p95_ms: row.latency_p95_ms, source: row.latency_source };
}

function completenessOf(row: ConversationRow): BasicConversation['completeness'] {
  const part = (name: 'transcript' | 'audio' | 'analysis') => ({
    state: row[`${name}_state`] as 'pending',
    reason: row[`${name}_reason`],
    due_at: iso(row[`${name}_due_at`]),
  });
  return { transcript: part('transcript'), audio: part('audio'), analysis: part('analysis') };
}

const segmentView = (segment: Segment): FullConversation['segments'][number] => ({
  holder: segment.holder,
  agent_id: segment.agent_id,
  human_agent: null,
  start_time: new Date(segment.start_time).toISOString(),
  end_time: isoMs(segment.end_time),
});

const transferView = (transfer: TransferRecord): FullConversation['transfers'][number] => ({
  ...transfer,
  start_time: isoMs(transfer.start_time),
  end_time: isoMs(transfer.end_time),
});
