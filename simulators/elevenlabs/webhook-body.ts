// Bodies of ElevenLabs' webhooks: `{type, event_timestamp, data}`, the time in seconds.
import { Random } from '../random.js';
import type { Fields } from '../records.js';
import type { Conversation, TranscriptItem } from './conversation.js';
import { recordingOf } from './recording.js';
import { callSidOf } from './origin.js';
import type { Plan } from './plan.js';

function unwrapped(item: TranscriptItem): TranscriptItem {
  const turn = item.conversation_turn_metrics;
  const metrics: unknown = typeof turn === 'object' && turn !== null ? Reflect.get(turn, 'metrics') : undefined;
  return metrics === undefined ? item : { ...item, conversation_turn_metrics: metrics };
}

/** The document of GET; every second one has the metrics without their wrapper, as in the examples of the manual. */
function transcription(conversation: Conversation): Fields {
  const isUnwrapped = new Random(`${conversation.conversation_id} metrics`).chance(0.5);
  return isUnwrapped ? { ...conversation, transcript: conversation.transcript.map(unwrapped) } : conversation;
}

function failure(conversation: Conversation, plan: Plan): Fields {
  const reasons: Record<string, string> = { busy: 'busy', no_answer: 'no-answer' };
  const reason = reasons[plan.end.outcome] ?? 'unknown';
  const sip = {
    from_number: plan.agent.number,
    to_number: plan.customerNumber,
    sip_status_code: reason === 'busy' ? 486 : reason === 'no-answer' ? 480 : 404,
    error_reason: reason,
    call_sid: callSidOf(plan),
    twirp_code: 'unavailable',
    sip_status: reason,
  };
  const twilio = {
    CallSid: callSidOf(plan),
    CallStatus: reason === 'unknown' ? 'failed' : reason,
    From: plan.agent.number,
    To: plan.customerNumber,
    Direction: 'outbound-api',
    CallDuration: '0',
    SipResponseCode: String(sip.sip_status_code),
  };
  const isSip = plan.channel === 'sip';
  return {
    agent_id: conversation.agent_id,
    conversation_id: conversation.conversation_id,
    failure_reason: reason,
    metadata: { type: isSip ? 'sip' : 'twilio', body: isSip ? sip : twilio },
  };
}

/** The body of a webhook, before it is serialised and signed; an unknown type carries the whole conversation. */
export function webhookDocument(type: string, conversation: Conversation, plan: Plan, atMs: number): Fields {
  const { agent_id, conversation_id } = conversation;
  const envelope = (data: Fields): Fields => ({ type, event_timestamp: Math.floor(atMs / 1000), data });
  switch (type) {
    case 'post_call_transcription':
      return envelope(transcription(conversation));
    case 'post_call_audio':
      return envelope({ agent_id, conversation_id, full_audio: recordingOf(conversation).toString('base64') });
    case 'call_initiation_failure':
      return envelope(failure(conversation, plan));
    default:
      return envelope({ ...conversation });
  }
}
