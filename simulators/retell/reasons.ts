// Every way a Retell call can end, with its status and its share of traffic.

/** One `disconnection_reason`. `connected`: somebody spoke, so the call has a start, a transcript and audio. */
export interface EndReason {
  reason: string;
  status: 'ended' | 'not_connected' | 'error';
  connected: boolean;
  weight: number;
}

const ended = (reason: string, weight: number): EndReason => ({ reason, status: 'ended', connected: true, weight });
const unconnected = (reason: string, weight: number): EndReason => ({
  reason,
  status: 'not_connected',
  connected: false,
  weight,
});
const failedBefore = (reason: string, weight: number): EndReason => ({
  reason,
  status: 'error',
  connected: false,
  weight,
});
const failedDuring = (reason: string, weight: number): EndReason => ({
  reason,
  status: 'error',
  connected: true,
  weight,
});

/** The 34 values of retell-sdk 5.66; `weight` is the share of traffic in percent. */
export const END_REASONS: readonly EndReason[] = [
  ended('user_hangup', 40),
  ended('agent_hangup', 21.6),
  ended('call_transfer', 8),
  ended('transfer_bridged', 1.5),
  ended('transfer_cancelled', 0.7),
  ended('voicemail_reached', 6.5),
  ended('ivr_reached', 1),
  ended('inactivity', 2.5),
  ended('max_duration_reached', 0.6),
  ended('manual_stopped', 0.6),
  ended('call_take_over', 0.5),
  unconnected('dial_busy', 3.5),
  unconnected('dial_no_answer', 5.5),
  unconnected('user_declined', 1.2),
  unconnected('dial_failed', 0.6),
  unconnected('invalid_destination', 0.6),
  unconnected('telephony_provider_permission_denied', 0.2),
  unconnected('telephony_provider_unavailable', 0.2),
  unconnected('sip_routing_error', 0.2),
  unconnected('marked_as_spam', 0.3),
  failedDuring('scam_detected', 0.2),
  failedBefore('concurrency_limit_reached', 0.4),
  failedBefore('no_concurrency_fallback', 0.1),
  failedBefore('no_valid_payment', 0.1),
  failedBefore('registered_call_timeout', 0.2),
  failedBefore('error_user_not_joined', 0.3),
  failedBefore('error_llm_websocket_open', 0.4),
  failedDuring('error_llm_websocket_lost_connection', 0.4),
  failedDuring('error_llm_websocket_runtime', 0.3),
  failedDuring('error_llm_websocket_corrupt_payload', 0.2),
  failedDuring('error_no_audio_received', 0.5),
  failedDuring('error_asr', 0.3),
  failedDuring('error_retell', 0.3),
  failedDuring('error_unknown', 0.3),
];

/** A reason by name; an unknown one counts as a connected call that ended. */
export function endReason(reason: string): EndReason {
  return END_REASONS.find((known) => known.reason === reason) ?? ended(reason, 0);
}
