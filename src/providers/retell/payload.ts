// Schemas of Retell's documents: only the fields that we use, all optional. The stored document keeps unknown fields.
import { z } from 'zod';
import type { Json } from '../provider-fact.js';

const json: z.ZodType<Json> = z.json();
// A field of an unexpected type counts as absent, so that one odd value does not invalidate the whole document.
const text = z.string().nullish().catch(null);
const number = z.number().nullish().catch(null);
const flag = z.boolean().nullish().catch(null);
const map = z.record(z.string(), json).nullish().catch(null);

const word = z.object({ start: number, end: number });

export const utterance = z.object({
  role: z.string(),
  content: text,
  words: z.array(word).nullish().catch(null),
  time_sec: number,
  tool_call_id: text,
  name: text,
  arguments: text,
  successful: flag,
  digit: text,
  former_node_name: text,
  new_node_name: text,
});

const cost = z.object({ combined_cost: number });

const analysis = z.object({
  call_summary: text,
  call_successful: flag,
  user_sentiment: text,
});

export const call = z.object({
  call_id: z.string().min(1),
  agent_id: text,
  agent_name: text,
  agent_version: z.union([z.number(), z.string()]).nullish().catch(null),
  call_type: text,
  call_status: text,
  direction: text,
  from_number: text,
  to_number: text,
  telephony_identifier: z.object({ twilio_call_sid: text }).nullish().catch(null),
  start_timestamp: number,
  end_timestamp: number,
  duration_ms: number,
  disconnection_reason: text,
  transfer_destination: text,
  transfer_end_timestamp: number,
  transcript_object: z.array(utterance).nullish().catch(null),
  transcript_with_tool_calls: z.array(utterance).nullish().catch(null),
  scrubbed_transcript_with_tool_calls: z.array(utterance).nullish().catch(null),
  recording_url: text,
  scrubbed_recording_url: text,
  metadata: json.optional().catch(null),
  retell_llm_dynamic_variables: map,
  collected_dynamic_variables: map,
  call_analysis: analysis.nullish().catch(null),
  call_cost: cost.nullish().catch(null),
  data_storage_setting: text,
  opt_out_sensitive_data_storage: flag,
  latency: z
    .object({ e2e: z.object({ p50: number, p95: number }).nullish().catch(null) })
    .nullish()
    .catch(null),
});

/** An item of a chat; unlike a call's item it has its own time, epoch milliseconds. */
const message = utterance.extend({
  created_timestamp: number,
  former_state_name: text,
  new_state_name: text,
});

export const chat = z.object({
  chat_id: z.string().min(1),
  agent_id: text,
  agent_name: text,
  version: z.union([z.number(), z.string()]).nullish().catch(null),
  chat_status: text,
  chat_type: text,
  start_timestamp: number,
  end_timestamp: number,
  disconnection_reason: text,
  message_with_tool_calls: z.array(message).nullish().catch(null),
  metadata: json.optional().catch(null),
  custom_attributes: map,
  retell_llm_dynamic_variables: map,
  collected_dynamic_variables: map,
  chat_analysis: z.object({ chat_summary: text, chat_successful: flag, user_sentiment: text }).nullish().catch(null),
  chat_cost: cost.nullish().catch(null),
  data_storage_setting: text,
  opt_out_sensitive_data_storage: flag,
});

export type RetellCall = z.infer<typeof call>;
export type RetellChat = z.infer<typeof chat>;
export type RetellUtterance = z.infer<typeof utterance>;
export type RetellMessage = z.infer<typeof message>;
export type RetellAnalysis = z.infer<typeof analysis>;
export type RetellCost = z.infer<typeof cost>;

export const webhook = z.object({
  event: z.string(),
  call: z
    .looseObject({ call_id: z.string().min(1), agent_id: text })
    .optional()
    .catch(undefined),
  chat: z
    .looseObject({ chat_id: z.string().min(1), agent_id: text })
    .optional()
    .catch(undefined),
});
