// The two webhooks without a conversation document: the audio of a call, and a call that did not connect. Pure.
import type { Claims, Fields, Json } from '../provider-fact.js';
import { compact } from '../provider-mapping.js';
import { endOf } from './end-reasons.js';
import { MAPPING_VERSION } from './mapping-version.js';
import { audioEvent, failureEvent, type ElevenLabsFailure } from './payload.js';
import { withoutSecrets } from './secrets.js';

const NOTHING: Omit<Claims, 'phase' | 'providerTime' | 'fields'> = {
  mappingVersion: MAPPING_VERSION,
  kind: 'conversation',
  live: null,
  ended: null,
  agent: null,
  transcript: null,
  analysed: false,
  record: null,
  transfers: [],
  recordings: [],
  audio: [],
  denied: [],
};

/** The whole call as MP3 in base64. It comes after the end and contains nothing else, so every other document outranks it. */
export function claimsOfAudio(data: Json, conversationId: string, eventTimeMs: number | null): Claims {
  const bytes = Buffer.from(audioEvent.parse(data).full_audio, 'base64');
  return {
    ...NOTHING,
    phase: 1,
    providerTime: eventTimeMs,
    ended: { failed: false, neverConnected: false },
    fields: { provider_conversation_id: conversationId },
    audio: bytes.length === 0 ? [] : [{ variant: 'mixed', contentType: 'audio/mpeg', bytes }],
  };
}

/** An outbound call that did not connect: authoritative for the reason. Only the record contains the time. */
export function claimsOfFailure(data: Json, eventTimeMs: number | null): Claims {
  const failure = failureEvent.parse(data);
  const reason = failure.failure_reason || null;
  return {
    ...NOTHING,
    phase: 4,
    providerTime: eventTimeMs,
    ended: { failed: true, neverConnected: true },
    agent: failure.agent_id ? { providerAgentId: failure.agent_id, name: null, version: null } : null,
    fields: compact({
      provider_conversation_id: failure.conversation_id,
      channel: 'phone',
      direction: 'outbound',
      end: { ...endOf({ failure_reason: reason ?? 'unknown' }), provider_reason: reason },
      ...legOf(failure),
    }),
    record: withoutSecrets(data),
  };
}

/** The two numbers and the id of the leg, by Twilio's or SIP's names. */
function legOf({ metadata }: ElevenLabsFailure): Partial<Fields> {
  const text = (...names: string[]): string | null => {
    const value = names
      .map((name) => metadata?.body?.[name])
      .find((found) => typeof found === 'string' && found !== '');
    return typeof value === 'string' ? value : null;
  };
  const sid = text('CallSid', 'call_sid');
  const namespace = metadata?.type === 'twilio' ? 'twilio.call_sid' : 'sip.call_id';
  return compact({
    customer_number: text('To', 'Called', 'to_number'),
    agent_number: text('From', 'Caller', 'from_number'),
    correlation: sid === null ? undefined : [{ namespace, value: sid }],
  });
}
