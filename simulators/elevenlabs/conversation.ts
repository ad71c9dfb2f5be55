// ElevenLabs' conversation, as its HTTP API and its webhooks carry it (snake_case; types of elevenlabs-js 2.73).
// Enumerations are typed as plain strings, so that a test can send values that no client knows yet.
import type { Fields } from '../records.js';

export interface ToolCall {
  type: string;
  request_id: string;
  tool_name: string;
  params_as_json: string;
  tool_has_been_called: boolean;
  tool_details: unknown;
}

export interface ToolResult {
  type: string;
  request_id: string;
  tool_name: string;
  result_value: string;
  is_error: boolean;
  tool_has_been_called: boolean;
  tool_latency_secs: number;
  error_type?: string;
  raw_error_message?: string;
  /** Results of system tools only; `result_type` is the discriminator. */
  result?: Fields;
}

/** One entry of a transcript; times in whole seconds since the start, no end time. */
export interface TranscriptItem {
  role: string;
  message: string | null;
  time_in_call_secs: number;
  tool_calls?: ToolCall[];
  tool_results?: ToolResult[];
  agent_metadata?: { agent_id: string; branch_id: string | null; workflow_node_id: string | null } | null;
  conversation_turn_metrics?: unknown;
  source_medium?: string | null;
  interrupted?: boolean;
  [field: string]: unknown;
}

/** Times in seconds since the epoch, durations in seconds; `cost` in credits, `cost_fiat` in USD. */
export interface Metadata {
  start_time_unix_secs: number;
  call_duration_secs: number;
  termination_reason?: string | null;
  [field: string]: unknown;
}

export interface Conversation {
  conversation_id: string;
  agent_id: string;
  status: string;
  has_audio: boolean;
  has_user_audio: boolean;
  has_response_audio: boolean;
  has_auxiliary_audio: boolean;
  transcript: TranscriptItem[];
  metadata: Metadata;
  analysis?: Fields | null;
  conversation_initiation_client_data?: Fields | null;
  [field: string]: unknown;
}

/** On list items only, not on the conversation. */
export interface Sentiment {
  overall_label: string;
  overall_sentiment_score: number;
  overall_frustration_score: number;
  min_user_sentiment_score: number;
  max_user_frustration_score: number;
  num_scored_user_turns: number;
}

/** The flags that say whether the audio endpoint has a recording. */
export const NO_AUDIO = {
  has_audio: false,
  has_user_audio: false,
  has_response_audio: false,
  has_auxiliary_audio: false,
} as const;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * A document with fields merged into it: `metadata`, `analysis` and their objects field by field, all others replaced;
 * `undefined` removes a field.
 */
export function withFields(conversation: Conversation, fields: Fields): Conversation {
  const merged: Fields = { ...conversation, ...fields };
  for (const name of ['metadata', 'analysis']) {
    const [before, given] = [conversation[name], fields[name]];
    if (isFields(before) && isFields(given)) merged[name] = { ...before, ...given };
  }
  return JSON.parse(JSON.stringify(merged)) as Conversation;
}
