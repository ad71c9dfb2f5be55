// disconnection_reason → our category and the party that ended the conversation. Data; every documented value is tested.

type Party = 'customer' | 'agent' | 'human_agent' | 'provider' | 'system' | null;

type End = readonly [category: string, party: Party];

const REASONS: Record<string, End> = {
  user_hangup: ['customer_hangup', 'customer'],
  agent_hangup: ['agent_hangup', 'agent'],
  call_transfer: ['transferred', 'agent'],
  transfer_bridged: ['transferred', 'agent'],
  transfer_cancelled: ['cancelled', 'human_agent'],
  voicemail_reached: ['voicemail', 'agent'],
  ivr_reached: ['voicemail', 'agent'],
  inactivity: ['silence', 'system'],
  max_duration_reached: ['max_duration', 'system'],
  manual_stopped: ['cancelled', 'system'],
  call_take_over: ['human_takeover', 'human_agent'],
  dial_busy: ['busy', 'customer'],
  dial_no_answer: ['no_answer', 'customer'],
  user_declined: ['declined', 'customer'],
  dial_failed: ['unreachable', 'provider'],
  invalid_destination: ['unreachable', 'provider'],
  telephony_provider_permission_denied: ['error_telephony', 'provider'],
  telephony_provider_unavailable: ['error_telephony', 'provider'],
  sip_routing_error: ['error_telephony', 'provider'],
  marked_as_spam: ['blocked', 'system'],
  scam_detected: ['blocked', 'system'],
  concurrency_limit_reached: ['capacity', 'provider'],
  no_concurrency_fallback: ['capacity', 'provider'],
  no_valid_payment: ['billing', 'provider'],
  registered_call_timeout: ['no_answer', 'customer'],
  error_user_not_joined: ['no_answer', 'customer'],
  error_llm_websocket_open: ['error_customer_setup', 'system'],
  error_llm_websocket_lost_connection: ['error_customer_setup', 'system'],
  error_llm_websocket_runtime: ['error_customer_setup', 'system'],
  error_llm_websocket_corrupt_payload: ['error_customer_setup', 'system'],
  error_no_audio_received: ['error_provider', 'provider'],
  error_asr: ['error_provider', 'provider'],
  error_retell: ['error_provider', 'provider'],
  error_unknown: ['error_provider', 'provider'],
};

/** A Map, not an object, because a reason may be any text, such as `constructor`. */
const BY_REASON: ReadonlyMap<string | null, End> = new Map(Object.entries(REASONS));

/** Reasons that the mapping knows. */
export const KNOWN_REASONS = Object.keys(REASONS);

/** Category and party of a reason; `unknown` if it is unmapped or missing. */
export function endOf(reason: string | null): { category: string; party: Party } {
  const [category, party] = BY_REASON.get(reason) ?? ['unknown', null];
  return { category, party };
}
