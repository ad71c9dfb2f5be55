// Builds a conversation as ElevenLabs would return it, from a seed and the fields that the caller sets.
import { Random, seededHex } from '../random.js';
import type { Fields } from '../records.js';
import { analysisOf } from './analysis.js';
import { NO_AUDIO, withFields, type Conversation, type Metadata, type TranscriptItem } from './conversation.js';
import { scriptOf } from './dialogue.js';
import { billOf } from './measures.js';
import { channelMetadata, clientData, usageOf } from './origin.js';
import { conversationIdOf, isText, planConversation, type Plan, type Scenario } from './plan.js';
import { transcribe, type Script } from './transcript.js';

const LONGEST_SECONDS = 420;
const EPOCH_SECONDS = 1_760_000_000;
const RETENTION_SECONDS = 730 * 86_400;

/** `nowMs`: the latest possible end (epoch ms); undefined: no limit. */
export interface BuildContext {
  nowMs?: number;
}

interface Times {
  start: number;
  duration: number;
}

const numberIn = (value: unknown, name: string): number | undefined => {
  const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
  return typeof found === 'number' ? found : undefined;
};

/** Start and length in seconds: given values are kept, and an end in the future is cut to now. */
function timesOf(fields: Fields, seconds: number, { nowMs }: BuildContext): Times {
  const now = nowMs === undefined ? undefined : Math.floor(nowMs / 1000);
  const wanted = numberIn(fields['metadata'], 'call_duration_secs') ?? Math.min(seconds, LONGEST_SECONDS);
  const fixed = numberIn(fields['metadata'], 'start_time_unix_secs');
  const start = fixed ?? (now === undefined ? EPOCH_SECONDS : now - wanted);
  return { start, duration: now === undefined ? wanted : Math.max(0, Math.min(wanted, now - start)) };
}

function reasonOf(plan: Plan): string {
  const { reasons } = plan.end;
  const second = plan.channel === 'twilio' || plan.channel === 'sip' ? reasons[0] : reasons.at(-1);
  return second ?? '';
}

/** The fields that are known as soon as the conversation begins. */
function begun(plan: Plan, times: Times, id: string): Conversation {
  return {
    agent_id: plan.agent.agent_id,
    agent_name: plan.agent.name,
    status: 'in-progress',
    user_id: new Random(`${plan.seed} user`).chance(0.5) ? `cust_${seededHex(`${plan.seed} user`, 8)}` : null,
    branch_id: null,
    version_id: null,
    environment: plan.environment,
    conversation_id: id,
    ...NO_AUDIO,
    visited_agents: [{ agent_id: plan.agent.agent_id, branch_id: null }],
    tag_ids: [],
    transcript: [],
    metadata: beginOf(plan, times),
    analysis: null,
    conversation_initiation_client_data: clientData(plan, id),
  };
}

function beginOf(plan: Plan, times: Times): Metadata {
  return {
    start_time_unix_secs: times.start,
    accepted_time_unix_secs: plan.end.connected ? times.start : null,
    call_duration_secs: 0,
    cost: null,
    cost_fiat: null,
    charging: null,
    termination_reason: '',
    error: null,
    warnings: [],
    ...channelMetadata(plan),
    batch_call: null,
    feedback: { type: null, overall_score: null, likes: 0, dislikes: 0, rating: null, comment: null },
    main_language: plan.language,
    text_only: isText(plan.channel),
    timezone: null,
    features_usage: usageOf(plan),
    deletion_settings: {
      deletion_time_unix_secs: times.start + RETENTION_SECONDS,
      deleted_logs_at_time_unix_secs: null,
      deleted_audio_at_time_unix_secs: null,
      deleted_transcript_at_time_unix_secs: null,
      delete_transcript_and_pii: true,
      delete_audio: true,
    },
  };
}

/** The items that start within the first `seconds`. */
function until(items: readonly TranscriptItem[], seconds: number): TranscriptItem[] {
  return items.filter((item) => item.time_in_call_secs <= seconds);
}

function ended(plan: Plan, script: Script, times: Times, start: Conversation): Conversation {
  const isSpoken = !isText(plan.channel) && plan.end.connected;
  const items = until(script.items, times.duration);
  const audio = { has_audio: isSpoken, has_user_audio: isSpoken, has_response_audio: isSpoken };
  const bill = plan.end.connected ? billOf(times.duration, isText(plan.channel), items.length) : {};
  return {
    ...start,
    ...audio,
    status: plan.end.status,
    visited_agents: script.agents.map((id) => ({ agent_id: id, branch_id: null })),
    transcript: items,
    metadata: {
      ...start.metadata,
      call_duration_secs: plan.end.connected ? times.duration : 0,
      ...bill,
      termination_reason: reasonOf(plan),
      error: plan.end.error,
      ...callResult(start.metadata, plan),
    },
    analysis: analysisOf(plan, items),
  };
}

function callResult(metadata: Metadata, plan: Plan): Fields {
  const call = metadata['phone_call'];
  return typeof call === 'object' && call !== null ? { phone_call: { ...call, call_result: plan.end.callResult } } : {};
}

/**
 * A finished and analysed conversation, as GET returns it. The scenario determines the end and the channel; what it leaves
 * open, the seed determines. `fields` override everything; `metadata` and `analysis` are merged field by field. The same
 * arguments give the same document.
 */
export function completeConversation(
  seed: string,
  fields: Fields = {},
  scenario: Scenario = {},
  context: BuildContext = {},
): Conversation {
  const { plan, script, times, start } = prepare(seed, fields, scenario, context);
  return withFields(ended(plan, script, times, start), fields);
}

function prepare(seed: string, fields: Fields, scenario: Scenario, context: BuildContext) {
  const plan = planConversation(seed, fields, scenario);
  const script = transcribe(plan, scriptOf(plan));
  const times = timesOf(fields, script.seconds, context);
  const id = typeof fields['conversation_id'] === 'string' ? fields['conversation_id'] : conversationIdOf(seed);
  return { plan, script, times, start: begun(plan, times, id) };
}

/**
 * A live conversation: no transcript, zeros. Without a given start it began as long ago as the conversation of that seed
 * lasts, so it can end at any moment with its full transcript and no time in the future.
 */
export function liveConversation(
  seed: string,
  fields: Fields = {},
  scenario: Scenario = {},
  context: BuildContext = {},
): Conversation {
  return withFields(prepare(seed, fields, scenario, context).start, fields);
}
