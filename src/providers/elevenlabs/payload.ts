// Schemas of ElevenLabs' raw documents (snake_case, as in webhooks): only the fields that we use, all optional.
import { z } from 'zod';
import type { Json } from '../provider-fact.js';

const json: z.ZodType<Json> = z.json();
// A field of an unexpected type counts as absent, so that one odd value does not invalidate the whole document.
const text = z.string().nullish().catch(null);
const number = z.number().nullish().catch(null);
const flag = z.boolean().nullish().catch(null);
const map = z.record(z.string(), json).nullish().catch(null);
const part = <Shape extends z.ZodRawShape>(shape: Shape) => z.object(shape).nullish().catch(undefined);
const list = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z
    .array(z.object(shape).nullable().catch(null))
    .nullish()
    .catch(null)
    .transform((items) => items?.filter((item) => item !== null) ?? null);

const toolCall = { request_id: text, tool_name: text, params_as_json: text };
const toolResult = {
  request_id: text,
  tool_name: text,
  result_value: json.optional().catch(null),
  is_error: flag,
  tool_latency_secs: number,
  /** Only for system tools. */
  result: part({ result_type: text, to_agent: text, transfer_number: text }),
};

const item = {
  role: text,
  message: text,
  time_in_call_secs: number,
  agent_metadata: part({ agent_id: text }),
  tool_calls: list(toolCall),
  tool_results: list(toolResult),
  interrupted: flag,
  source_medium: text,
  platform_event: text,
  conversation_turn_metrics: map,
};

const phoneCall = {
  type: text,
  direction: text,
  agent_number: text,
  external_number: text,
  call_result: text,
  call_sid: text,
  call_id: text,
};

const metadata = {
  start_time_unix_secs: number,
  call_duration_secs: number,
  cost_fiat: number,
  termination_reason: text,
  error: part({ code: number, reason: text }),
  phone_call: part(phoneCall),
  batch_call: part({ batch_call_id: text }),
  sms: part({ direction: text, sms_user_phone_number: text, agent_phone_number: text }),
  whatsapp: part({ direction: text, whatsapp_user_id: text, recipient: part({ phone: text }) }),
  async_metadata: part({ external_system: text, external_id: text }),
  deletion_settings: part({ deleted_audio_at_time_unix_secs: number, deleted_transcript_at_time_unix_secs: number }),
  features_usage: part({ pii_zrm_workspace: flag, pii_zrm_agent: flag }),
  main_language: text,
  text_only: flag,
};

const criterion = part({ result: text, rationale: text });

const analysis = {
  call_successful: text,
  call_success_score: number,
  transcript_summary: text,
  call_summary_title: text,
  evaluation_criteria_results: z.record(z.string(), criterion).nullish().catch(null),
};

export const conversation = z.object({
  conversation_id: z.string().min(1),
  agent_id: text,
  agent_name: text,
  status: text,
  user_id: text,
  branch_id: text,
  version_id: text,
  environment: text,
  has_audio: flag,
  transcript: list(item),
  metadata: part(metadata),
  analysis: part(analysis),
  conversation_initiation_client_data: part({ dynamic_variables: map, user_id: text }),
});

export const webhook = z.object({
  type: z.string(),
  event_timestamp: number,
  data: z.looseObject({ conversation_id: z.string().min(1), agent_id: text }),
});

export const audioEvent = z.object({ full_audio: z.string().catch('') });

export const failureEvent = z.object({
  conversation_id: z.string().min(1),
  agent_id: text,
  failure_reason: text,
  metadata: part({ type: text, body: map }),
});

export type ElevenLabsConversation = z.infer<typeof conversation>;
export type ElevenLabsMetadata = NonNullable<ElevenLabsConversation['metadata']>;
export type ElevenLabsItem = NonNullable<ElevenLabsConversation['transcript']>[number];
export type ElevenLabsFailure = z.infer<typeof failureEvent>;
