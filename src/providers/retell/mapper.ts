// Retell's call document → claims. Pure.
import type { Channel, Claims, Fields, Json, LiveStatus, TransferClaim, Turn } from '../provider-fact.js';
import { compact } from '../provider-mapping.js';
import { analysisOf, costOf, metadataOf, storesNothing, withoutSecrets } from './common.js';
import { endOf } from './end-reasons.js';
import { MAPPING_VERSION } from './mapping-version.js';
import { call as callSchema, type RetellCall } from './payload.js';
import { toTurns } from './transcript.js';

const LIVE = new Map<string, LiveStatus>([
  ['registered', 'ringing'],
  ['ongoing', 'active'],
]);
const CHANNELS = new Map<string, Channel>([
  ['phone_call', 'phone'],
  ['web_call', 'web_call'],
]);
const ENDED = new Set(['ended', 'error', 'not_connected']);

/** Claims of a call document. `event` is the webhook's type, or null for the provider's own record. */
export function claimsOfCall(document: Json, event: string | null): Claims {
  const call = callSchema.parse(document);
  const hasEnded = ENDED.has(call.call_status ?? '') || event === 'call_ended' || event === 'call_analyzed';
  const ended = hasEnded ? endOfCall(call) : null;
  const analysed = call.call_analysis !== null && call.call_analysis !== undefined;
  const items =
    call.transcript_with_tool_calls ?? call.transcript_object ?? call.scrubbed_transcript_with_tool_calls ?? null;
  const turns = items === null ? null : toTurns(items);
  return {
    mappingVersion: MAPPING_VERSION,
    kind: 'call',
    phase: hasEnded ? (analysed ? 4 : 3) : event === 'call_started' ? 1 : 2,
    providerTime: call.end_timestamp ?? call.start_timestamp ?? null,
    live: hasEnded ? null : liveStatus(call, event),
    ended,
    agent: call.agent_id
      ? { providerAgentId: call.agent_id, name: call.agent_name ?? null, version: versionOf(call) }
      : null,
    fields: fieldsOf(call, ended, analysed),
    transfers: transfersOf(call, event),
    recordings: recordingsOf(call),
    audio: [],
    transcript: turns === null || turns.length === 0 ? null : { turns, final: hasEnded },
    analysed,
    denied: hasEnded ? deniedOf(call, { turns, isRecord: event === null }) : [],
    record: withoutSecrets(document),
  };
}

/** Parts that do not exist. Webhooks may contain what is not stored, so only the record can say that. */
function deniedOf(
  call: RetellCall,
  { turns, isRecord }: { turns: Turn[] | null; isRecord: boolean },
): Claims['denied'] {
  const isUnstored = isRecord && storesNothing(call);
  const denied: Claims['denied'] = [];
  // The document contains an empty transcript: nobody spoke.
  if (turns?.length === 0) denied.push({ part: 'transcript', reason: 'empty' });
  if (turns === null && isUnstored) denied.push({ part: 'transcript', reason: 'zero_retention' });
  if (recordingsOf(call).length === 0 && isUnstored) denied.push({ part: 'audio', reason: 'zero_retention' });
  return denied;
}

function liveStatus(call: RetellCall, event: string | null): LiveStatus {
  if (event === 'transfer_started') return 'transferring';
  if (event === 'transfer_bridged' || event === 'transfer_cancelled' || event === 'transfer_ended') return 'active';
  return LIVE.get(call.call_status ?? '') ?? 'active';
}

const endOfCall = (call: RetellCall): NonNullable<Claims['ended']> => ({
  failed: call.call_status === 'error' || call.call_status === 'not_connected',
  // Calls refused before anybody is called (no capacity, no payment, nobody joined) have status `error` and no start.
  neverConnected:
    call.call_status === 'not_connected' || (call.call_status === 'error' && typeof call.start_timestamp !== 'number'),
});

const versionOf = (call: RetellCall): string | null =>
  call.agent_version === null || call.agent_version === undefined ? null : String(call.agent_version);

function fieldsOf(call: RetellCall, ended: Claims['ended'], analysed: boolean): Partial<Fields> {
  const hasEnded = ended !== null;
  const inbound = call.direction === 'inbound';
  const direction = inbound || call.direction === 'outbound' ? (call.direction as Fields['direction']) : undefined;
  const reason = call.disconnection_reason;
  return compact({
    provider_conversation_id: call.call_id,
    channel: call.call_type && (CHANNELS.get(call.call_type) ?? 'other'),
    direction,
    start_time: call.start_timestamp,
    end_time: hasEnded ? call.end_timestamp : undefined,
    duration_ms: hasEnded ? durationOf(call) : undefined,
    customer_number: direction && (inbound ? call.from_number : call.to_number),
    agent_number: direction && (inbound ? call.to_number : call.from_number),
    end: hasEnded && reason ? { ...endOf(reason), provider_reason: reason } : undefined,
    ...analysisOf(call.call_analysis, call.call_analysis?.call_summary, call.call_analysis?.call_successful),
    // The cost is final once the analysis is there, which comes last, or if the call never connected.
    cost: ended ? costOf(call.call_cost, analysed || ended.neverConnected) : undefined,
    latency: latencyOf(call),
    metadata: metadataOf(call.metadata),
    variables: call.retell_llm_dynamic_variables,
    collected_variables: call.collected_dynamic_variables,
    correlation: correlationOf(call),
  });
}

function durationOf(call: RetellCall): number | undefined {
  if (typeof call.duration_ms === 'number') return Math.round(call.duration_ms);
  const { start_timestamp: start, end_timestamp: end } = call;
  return typeof start === 'number' && typeof end === 'number' ? Math.max(0, end - start) : undefined;
}

function latencyOf(call: RetellCall): Fields['latency'] | undefined {
  const { p50, p95 } = call.latency?.e2e ?? {};
  const [median, slow] = [rounded(p50), rounded(p95)];
  return median === null && slow === null ? undefined : { p50_ms: median, p95_ms: slow };
}

const rounded = (value: number | null | undefined): number | null =>
  typeof value === 'number' ? Math.round(value) : null;

function correlationOf(call: RetellCall): Fields['correlation'] | undefined {
  const sid = call.telephony_identifier?.twilio_call_sid;
  return sid ? [{ namespace: 'twilio.call_sid', value: sid }] : undefined;
}

function recordingsOf(call: RetellCall): Claims['recordings'] {
  const found: Claims['recordings'] = [];
  if (call.recording_url) found.push({ variant: 'mixed', source: call.recording_url });
  if (call.scrubbed_recording_url) found.push({ variant: 'redacted', source: call.scrubbed_recording_url });
  return found;
}

const TRANSFER_EVENTS = new Map<string | null, TransferClaim['status']>([
  ['transfer_started', 'started'],
  ['transfer_bridged', 'bridged'],
  ['transfer_cancelled', 'cancelled'],
  ['transfer_ended', 'ended'],
]);

/**
 * Events report a transfer without an id, and not always with its target. After the end the reason says whether the last transfer
 * succeeded: that one appears in every later document, possibly without its target.
 */
function transfersOf(call: RetellCall, event: string | null): TransferClaim[] {
  const target = { type: 'phone', value: call.transfer_destination ?? null } as const;
  const over = call.transfer_end_timestamp ?? null;
  const status = TRANSFER_EVENTS.get(event);
  const claims: TransferClaim[] = status ? [{ id: null, target, status, at: status === 'ended' ? over : null }] : [];
  if (endOf(call.disconnection_reason ?? null).category !== 'transferred') return claims;
  claims.push({ id: 'end', target, status: 'bridged', at: call.end_timestamp ?? null });
  if (over !== null) claims.push({ id: 'end', target, status: 'ended', at: over });
  return claims;
}
