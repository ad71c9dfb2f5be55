import { describe, expect, it } from 'vitest';
import { endOf, KNOWN_REASONS } from './end-reasons.js';

/** Every `disconnection_reason` that Retell documents, by the category that it must have. */
const DOCUMENTED = {
  customer_hangup: ['user_hangup'],
  agent_hangup: ['agent_hangup'],
  transferred: ['call_transfer', 'transfer_bridged'],
  cancelled: ['transfer_cancelled', 'manual_stopped'],
  voicemail: ['voicemail_reached', 'ivr_reached'],
  silence: ['inactivity'],
  max_duration: ['max_duration_reached'],
  human_takeover: ['call_take_over'],
  busy: ['dial_busy'],
  no_answer: ['dial_no_answer', 'registered_call_timeout', 'error_user_not_joined'],
  declined: ['user_declined'],
  unreachable: ['dial_failed', 'invalid_destination'],
  error_telephony: ['telephony_provider_permission_denied', 'telephony_provider_unavailable', 'sip_routing_error'],
  blocked: ['marked_as_spam', 'scam_detected'],
  capacity: ['concurrency_limit_reached', 'no_concurrency_fallback'],
  billing: ['no_valid_payment'],
  error_customer_setup: [
    'error_llm_websocket_open',
    'error_llm_websocket_lost_connection',
    'error_llm_websocket_runtime',
    'error_llm_websocket_corrupt_payload',
  ],
  error_provider: ['error_no_audio_received', 'error_asr', 'error_retell', 'error_unknown'],
};
const cases = Object.entries(DOCUMENTED).flatMap(([category, reasons]) =>
  reasons.map((reason) => ({ reason, category })),
);

describe('endOf', () => {
  it.each(cases)('makes $reason $category', ({ reason, category }) => {
    expect(endOf(reason).category).toBe(category);
  });

  it('knows the 34 documented reasons, and no other', () => {
    expect(cases).toHaveLength(34);
    expect(new Set(KNOWN_REASONS)).toEqual(new Set(cases.map(({ reason }) => reason)));
  });

  it('maps an unknown reason to `unknown` without a party', () => {
    for (const reason of [null, '', 'a_reason_of_tomorrow', 'constructor']) {
      expect(endOf(reason)).toEqual({ category: 'unknown', party: null });
    }
  });
});
