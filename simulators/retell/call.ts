// Retell's call object, as its HTTP API and its webhooks carry it (API reference of retell-sdk 5.66).
// Enumerations (`disconnection_reason` and others) are plain strings, so that a test can send values that no client knows yet.
import type { Fields } from '../records.js';

/** One word; times in seconds of audio time, approximate as at Retell. */
export interface Word {
  word: string;
  start: number;
  end: number;
}

/** One entry of a transcript. Entries have no id; only their order identifies them. */
export type TranscriptItem =
  | { role: 'agent' | 'user' | 'transfer_target'; content: string; words: Word[] }
  | {
      role: 'tool_call_invocation';
      tool_call_id: string;
      name: string;
      arguments: string;
      time_sec: number;
      type: string;
    }
  | { role: 'tool_call_result'; tool_call_id: string; content: string; successful: boolean; time_sec: number }
  | {
      role: 'node_transition';
      former_node_id: string;
      former_node_name: string;
      new_node_id: string;
      new_node_name: string;
      transition_type: string;
    }
  | { role: 'dtmf'; digit: string }
  | { role: 'sms' | 'injected'; content: string; time_sec: number };

/** Percentiles of one kind of latency, in milliseconds. */
export interface LatencyStatistics {
  p50: number;
  p90: number;
  p95: number;
  p99: number;
  min: number;
  max: number;
  num: number;
  values: number[];
}

export interface CallAnalysis {
  call_summary?: string;
  call_successful?: boolean;
  in_voicemail?: boolean;
  user_sentiment?: string;
  custom_analysis_data?: unknown;
  [field: string]: unknown;
}

/** `combined_cost` and `cost` in US cents, unit prices in US cents per second. */
export interface CallCost {
  combined_cost: number;
  product_costs: { product: string; cost: number; unit_price?: number; is_transfer_leg_cost?: boolean }[];
  total_duration_seconds: number;
  total_duration_unit_price: number;
}

/** A call. `…_timestamp` are epoch milliseconds; unknown fields are absent, not null. */
export interface RetellCall {
  call_id: string;
  call_type: string;
  call_status: string;
  agent_id: string;
  agent_version: number;
  agent_name?: string;
  direction?: string;
  from_number?: string;
  to_number?: string;
  telephony_identifier?: { twilio_call_sid?: string };
  access_token?: string;
  start_timestamp?: number;
  end_timestamp?: number;
  duration_ms?: number;
  transfer_end_timestamp?: number;
  transfer_destination?: string;
  disconnection_reason?: string;
  transcript?: string;
  transcript_object?: TranscriptItem[];
  transcript_with_tool_calls?: TranscriptItem[];
  scrubbed_transcript_with_tool_calls?: TranscriptItem[];
  recording_url?: string;
  recording_multi_channel_url?: string;
  scrubbed_recording_url?: string;
  scrubbed_recording_multi_channel_url?: string;
  opt_in_signed_url?: boolean;
  metadata?: unknown;
  retell_llm_dynamic_variables?: Record<string, string>;
  collected_dynamic_variables?: Record<string, string>;
  data_storage_setting?: string;
  call_analysis?: CallAnalysis;
  call_cost?: CallCost;
  latency?: Record<string, LatencyStatistics>;
  llm_token_usage?: { average: number; num_requests: number; values: number[] };
  [field: string]: unknown;
}

/** Any fields of a call, known to Retell or not; `undefined` removes the field. */
export type CallFields = Fields;

/** The four fields that lists omit. */
export const TRANSCRIPT_FIELDS = [
  'transcript',
  'transcript_object',
  'transcript_with_tool_calls',
  'scrubbed_transcript_with_tool_calls',
] as const;

/** The four fields that link to audio. */
export const RECORDING_FIELDS = [
  'recording_url',
  'recording_multi_channel_url',
  'scrubbed_recording_url',
  'scrubbed_recording_multi_channel_url',
] as const;

/** The fields that a call has only after its end. */
export const END_FIELDS = [
  ...TRANSCRIPT_FIELDS,
  ...RECORDING_FIELDS,
  'end_timestamp',
  'duration_ms',
  'transfer_end_timestamp',
  'transfer_destination',
  'disconnection_reason',
  'collected_dynamic_variables',
  'call_analysis',
  'call_cost',
  'latency',
  'llm_token_usage',
] as const;
