// Builds a call document as Retell would return it, from a seed and the fields that the caller sets.
import { Random, seededHex } from '../random.js';
import { analysisOf, saidIn } from './analysis.js';
import { END_FIELDS, type RetellCall, type TranscriptItem } from './call.js';
import { omit, type Fields } from '../records.js';
import { dialogueOf } from './dialogue.js';
import { costOf, latencyOf, tokenUsageOf } from './measures.js';
import { callIdOf, planCall, type CallPlan } from './plan.js';
import { recordingUrls } from './recordings.js';
import { scrubbed } from './scrub.js';
import { speechOf, spokenUntil, transcriptFields, type Speech } from './speech.js';

const LONGEST_MS = 360_000;
const EPOCH_MS = 1_760_000_000_000;

/** Base URL of recordings, and the latest possible timestamp (epoch ms); without `nowMs` there is no limit. */
export interface BuildContext {
  baseUrl?: string;
  nowMs?: number;
}

interface Times {
  startMs: number;
  durationMs: number;
}

const numberOr = (value: unknown, fallback: number): number => (typeof value === 'number' ? value : fallback);

/** Start and length: given values are kept, and an end in the future is cut to now. */
function timesOf(fields: Fields, spokenMs: number, nowMs: number | undefined): Times {
  const end = numberOr(fields['end_timestamp'], nowMs ?? EPOCH_MS + spokenMs);
  const startMs = numberOr(fields['start_timestamp'], end - numberOr(fields['duration_ms'], spokenMs));
  const untilEnd = typeof fields['end_timestamp'] === 'number' ? end - startMs : spokenMs;
  const durationMs = numberOr(fields['duration_ms'], untilEnd);
  return { startMs, durationMs: Math.max(0, nowMs === undefined ? durationMs : Math.min(durationMs, nowMs - startMs)) };
}

function identity(plan: CallPlan, fields: Fields): RetellCall {
  const call: RetellCall = {
    call_id: typeof fields['call_id'] === 'string' ? fields['call_id'] : callIdOf(plan.seed),
    call_type: plan.callType,
    agent_id: plan.agent.agent_id,
    agent_version: plan.agent.version,
    agent_name: plan.agent.agent_name,
    call_status: plan.reason.status,
    data_storage_setting: 'everything',
    opt_in_signed_url: false,
    metadata: { customer_id: `cust_${seededHex(`${plan.seed} customer`, 8)}`, topic: plan.topic.key },
    retell_llm_dynamic_variables: { customer_name: plan.slots['name'] ?? '', plan: plan.slots['plan'] ?? '' },
  };
  if (plan.callType === 'web_call')
    return { ...call, access_token: `eyJhbGciOiJIUzI1NiJ9.${seededHex(`${plan.seed} token`, 64)}` };
  const isInbound = plan.direction === 'inbound';
  return {
    ...call,
    direction: plan.direction,
    from_number: isInbound ? plan.customerNumber : plan.agent.number,
    to_number: isInbound ? plan.agent.number : plan.customerNumber,
    telephony_identifier: { twilio_call_sid: `CA${seededHex(`${plan.seed} sid`, 32)}` },
  };
}

/** The fields that Retell adds when a connected call is over. */
function aftermath(plan: CallPlan, speech: Speech, times: Times): Fields {
  const random = new Random(`${plan.seed} measures`);
  const isTransferred = plan.reason.reason === 'call_transfer';
  const endMs = times.startMs + times.durationMs;
  return {
    start_timestamp: times.startMs,
    end_timestamp: endMs,
    duration_ms: times.durationMs,
    ...(isTransferred
      ? { transfer_destination: plan.colleagueNumber, transfer_end_timestamp: endMs + random.integer(20_000, 200_000) }
      : {}),
    ...transcriptFields(spokenUntil(speech.items, times.durationMs)),
    collected_dynamic_variables: { reference: plan.slots['reference'] ?? '' },
    latency: latencyOf(speech.responseMs, random),
    llm_token_usage: tokenUsageOf(speech.responseMs, random),
    call_cost: costOf({ agent: plan.agent, durationMs: times.durationMs, isPhone: plan.callType === 'phone_call' }),
  };
}

function scrubbedFields(call: RetellCall, plan: CallPlan): Fields {
  const items: TranscriptItem[] = call.transcript_with_tool_calls ?? [];
  const names = [plan.slots['name'], plan.slots['first']].filter((name) => name !== undefined);
  return { scrubbed_transcript_with_tool_calls: scrubbed(items, names) };
}

/**
 * A finished call with its analysis, as `GET /v2/get-call` returns it. By default it is a phone call that the customer
 * ended, with transcript, recording and cost. `disconnection_reason` in `fields` determines the status and the content
 * (never connected: no start, no words, no audio). All other `fields`, unknown ones too, are used as given; `undefined`
 * removes a field. The same arguments give the same document.
 */
export function completeCall(seed: string, fields: Fields = {}, context: BuildContext = {}): RetellCall {
  const plan = planCall(seed, fields);
  const speech = speechOf(seed, dialogueOf(plan));
  const times = timesOf(fields, Math.min(speech.durationMs, LONGEST_MS), context.nowMs);
  const call: RetellCall = { ...identity(plan, fields), disconnection_reason: plan.reason.reason };
  if (plan.reason.connected) Object.assign(call, aftermath(plan, speech, times));
  call.call_analysis = analysisOf(plan, saidIn({ ...call, ...fields }));
  const isScrubbed = fields['data_storage_setting'] === 'everything_except_pii' && plan.reason.connected;
  if (plan.reason.connected)
    Object.assign(call, recordingUrls(call.call_id, context.baseUrl ?? 'http://127.0.0.1:9002', isScrubbed));
  if (isScrubbed) Object.assign(call, scrubbedFields({ ...call, ...fields }, plan));
  return omit({ ...call, ...fields }, []);
}

/**
 * A live call, as Retell returns it before the end. Without a `start_timestamp` it began as long ago as the call of that
 * seed lasts, so it can end at any moment with its full transcript and no time in the future.
 */
export function ongoingCall(seed: string, fields: Fields = {}, context: BuildContext = {}): RetellCall {
  const whole = completeCall(seed, { ...fields, disconnection_reason: 'user_hangup' }, context);
  return omit({ ...omit(whole, END_FIELDS), call_status: 'ongoing', ...fields }, []);
}
