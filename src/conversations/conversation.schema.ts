// Schemas of the API's conversation object; the OpenAPI components are generated from them.
import { z } from 'zod';
import { publicIdText, timeText } from '../http/id-schema.js';
import { PLAIN_SCHEMAS } from '../providers/plain-fields.js';

const json: z.ZodType = z.unknown();
const part = z
  .object({
    state: z.enum(['pending', 'present', 'absent', 'erased']),
    reason: z.string().nullable(),
    due_at: timeText.nullable(),
  })
  .meta({ id: 'Completeness' });

export const recordingSchema = z
  .object({
    id: publicIdText('recording'),
    variant: z.enum(['mixed', 'agent', 'customer', 'redacted']),
    content_type: z.string(),
    bytes: z.int(),
    duration_ms: z.int().nullable(),
  })
  .meta({ id: 'Recording' });

const segment = z
  .object({
    holder: z.enum(['agent', 'human', 'phone']),
    agent_id: z.string().nullable(),
    human_agent: z.string().nullable(),
    start_time: timeText,
    end_time: timeText.nullable(),
  })
  .meta({ id: 'Segment' });

const transfer = z
  .object({
    kind: z.enum(['blind', 'warm']).nullable(),
    target: z.object({ type: z.enum(['agent', 'phone', 'human', 'queue']), value: z.string().nullable() }),
    status: z.enum(['in_progress', 'bridged', 'cancelled', 'failed', 'completed']),
    initiated_by: z.enum(['provider']),
    start_time: timeText.nullable(),
    end_time: timeText.nullable(),
  })
  .meta({ id: 'Transfer' });

const plain = {
  id: publicIdText('conversation'),
  object: z.literal('conversation'),
  client_id: publicIdText('client'),
  agent_id: publicIdText('agent').nullable(),
  agent_version: z.string().nullable().meta({ description: 'Version at the start of the conversation' }),
  provider: z.string(),
  provider_account_id: publicIdText('providerAccount'),
  channel: z.enum(['phone', 'web_call', 'chat', 'sms', 'whatsapp', 'other']),
  ...PLAIN_SCHEMAS,
  status: z.enum(['ringing', 'active', 'transferring', 'completed', 'failed']),
  record_state: z.enum(['open', 'settling', 'settled', 'erasing']),
  restricted: z.boolean(),
  start_time: timeText,
  end_time: timeText.nullable(),
  duration_ms: z.int().nullable(),
  sentiment: z.object({ label: z.enum(['positive', 'neutral', 'negative']), score: z.number().nullable() }).nullable(),
  turn_count: z.int(),
  transfer_count: z.int(),
  cost: z.object({ amount_micros: z.int(), currency: z.string() }).nullable(),
  latency: z.object({ p50_ms: z.int().nullable(), p95_ms: z.int().nullable(), source: z.string() }).nullable(),
  completeness: z.object({ transcript: part, audio: part, analysis: part }),
  recordings: z.array(recordingSchema),
  linked_conversations: z.array(
    z.object({ id: z.string(), relation: z.string(), confidence: z.string(), evidence: z.string() }),
  ),
  retention: z.object({ purge_at: timeText.nullable(), on_hold: z.boolean() }),
  capabilities: z.array(z.string()).meta({ description: 'Live commands that are possible now; empty once ended' }),
  workflow: z.object({ id: z.string(), url: z.string().nullable() }),
  revision: z.int(),
  created_at: timeText,
  updated_at: timeText,
};

const outcome = {
  value: z.enum(['success', 'failure', 'partial', 'unknown']),
  score: z.number().nullable(),
  evaluator: z.string(),
};
const end = { category: z.string(), party: z.string().nullable() };

/** The fields that are not sealed. */
export const basicConversation = z
  .object({ ...plain, end: z.object(end).nullable(), outcome: z.object(outcome).nullable() })
  .meta({ id: 'ConversationBasic' });

/** All fields. Reading it is a content read. */
export const fullConversation = z
  .object({
    ...plain,
    end: z.object({ ...end, provider_reason: z.string().nullable() }).nullable(),
    outcome: z.object({ ...outcome, rationale: z.string().nullable() }).nullable(),
    provider_conversation_id: z.string().nullable(),
    customer: z.object({
      phone_number: z.string().nullable(),
      name: z.string().nullable(),
      email: z.string().nullable(),
      user_id: z.string().nullable(),
      presentation: z.enum(['allowed', 'restricted']).nullable(),
    }),
    agent_number: z.string().nullable(),
    title: z.string().nullable(),
    summary: z.string().nullable(),
    segments: z.array(segment),
    transfers: z.array(transfer),
    tags: z.array(z.string()),
    metadata: z.record(z.string(), json),
    variables: z.record(z.string(), json),
    correlation: z.array(z.object({ namespace: z.string(), value: z.string() })),
  })
  .meta({ id: 'Conversation' });

export const anyConversation = z.union([fullConversation, basicConversation]);
export type BasicConversation = z.infer<typeof basicConversation>;
export type FullConversation = z.infer<typeof fullConversation>;
