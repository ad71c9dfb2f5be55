// The common model of what a provider's document claims about a conversation.
import type { PlainFields } from './plain-fields.js';

export type Channel = 'phone' | 'web_call' | 'chat' | 'sms' | 'whatsapp' | 'other';
export type Direction = PlainFields['direction'];
export type LiveStatus = 'ringing' | 'active' | 'transferring';
export type Part = 'transcript' | 'audio' | 'analysis';
export type RecordingVariant = 'mixed' | 'agent' | 'customer' | 'redacted';
export type TurnRole = 'customer' | 'agent' | 'human_agent' | 'tool_call' | 'tool_result' | 'event' | 'system';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** One entry of a transcript; times are milliseconds from the start of the conversation. */
export interface Turn {
  index: number;
  role: TurnRole;
  text: string | null;
  start_ms: number | null;
  end_ms: number | null;
  agent_id: string | null;
  interrupted: boolean | null;
  tool: {
    id: string | null;
    name: string | null;
    arguments: Json;
    result: Json;
    ok: boolean | null;
    latency_ms: number | null;
  } | null;
  latency_ms: number | null;
}

/** Values that a later document may correct. Times are epoch milliseconds. */
export interface Fields extends PlainFields {
  provider_conversation_id: string;
  channel: Channel;
  start_time: number;
  end_time: number;
  duration_ms: number;
  customer_number: string;
  /** The customer's id in the systems of the agent's owner. */
  customer_user_id: string;
  agent_number: string;
  end: { category: string; party: string | null; provider_reason: string | null };
  outcome: { value: 'success' | 'failure' | 'partial' | 'unknown'; score: number | null };
  /** Why it was judged so. */
  rationale: string;
  sentiment: { label: 'positive' | 'neutral' | 'negative'; score: number | null };
  title: string;
  summary: string;
  cost: { amount_micros: number; currency: string };
  latency: { p50_ms: number | null; p95_ms: number | null };
  metadata: { [key: string]: Json };
  /** As given at the start. */
  variables: { [key: string]: Json };
  /** What the agent collected in the call. */
  collected_variables: { [key: string]: Json };
  correlation: { namespace: string; value: string }[];
}

/** A transfer that the provider made by itself. */
export interface TransferClaim {
  /**
   * Identifies the transfer within its conversation: the same id in every document. Null if the document does not say which
   * transfer it means; it then follows from all such claims together.
   */
  id: string | null;
  /** A number or SIP URI, or the provider's id of an agent. */
  target: { type: 'phone' | 'agent'; value: string | null };
  status: 'started' | 'bridged' | 'cancelled' | 'failed' | 'ended';
  at: number | null;
}

/** A recording at the provider. `source` is its location, which only the provider's own code understands. */
export interface RecordingSource {
  variant: RecordingVariant;
  source: string;
}

/** A recording contained in the payload itself. */
export interface AudioClaim {
  variant: RecordingVariant;
  contentType: string;
  bytes: Buffer;
}

/** Everything that one payload claims. What it does not mention is not claimed: absence never deletes. */
export interface Claims {
  /** Version of the mapping that read the payload; increased with every change of the mapping. */
  mappingVersion: number;
  /** The provider's kind of conversation, such as `call` or `chat`. */
  kind: string;
  /** Stage of the conversation that the document describes: 1 started, 2 live, 3 ended, 4 analysed. */
  phase: 1 | 2 | 3 | 4;
  /** The provider's time of the described state, epoch milliseconds. */
  providerTime: number | null;
  live: LiveStatus | null;
  /** As the provider reports it. `failed`: it never connected, or broke. */
  ended: { failed: boolean; neverConnected: boolean } | null;
  /** Does not change after the start: the first document that names the agent wins. */
  agent: { providerAgentId: string; name: string | null; version: string | null } | null;
  fields: Partial<Fields>;
  transfers: TransferClaim[];
  recordings: RecordingSource[];
  audio: AudioClaim[];
  /** `truncated`: it had more turns than are stored. */
  transcript: { turns: Turn[]; final: boolean; truncated?: true } | null;
  /** Present (possibly empty) when the provider has analysed. */
  analysed: boolean;
  /** Parts that the document says do not exist: not waited for. */
  denied: { part: Part; reason: string }[];
  /** The provider's document without its secrets, to be kept. */
  record: Json | null;
}
