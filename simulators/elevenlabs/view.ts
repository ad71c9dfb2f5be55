// What ElevenLabs' API returns for a conversation at a given time.
import type { Oddity } from '../faults.js';
import type { Fields } from '../records.js';
import { NO_AUDIO, type Conversation } from './conversation.js';
import type { ConversationNotes } from './conversations.js';

type Times = Pick<ConversationNotes, 'doneFromMs' | 'audioFromMs'>;

/** A conversation as visible at `nowMs`: `processing` until its analysis is due, no audio until its audio is due. */
export function knownAt(conversation: Conversation, notes: Times, nowMs: number): Conversation {
  if (notes.doneFromMs !== undefined && nowMs < notes.doneFromMs) {
    return { ...conversation, ...NO_AUDIO, status: 'processing', analysis: null };
  }
  const isAudioThere = notes.audioFromMs === undefined || nowMs >= notes.audioFromMs;
  return isAudioThere ? conversation : { ...conversation, ...NO_AUDIO };
}

/** Whether the conversation has zero retention: its webhook is then the only copy. */
export function isZeroRetention(conversation: Conversation): boolean {
  const usage = conversation.metadata['features_usage'];
  const flag = (name: string): unknown =>
    typeof usage === 'object' && usage !== null ? Reflect.get(usage, name) : false;
  return flag('pii_zrm_agent') === true || flag('pii_zrm_workspace') === true;
}

/** What is stored of a conversation: under zero retention no words, no analysis, no numbers, no names. */
export function asStored(conversation: Conversation): Conversation {
  if (!isZeroRetention(conversation)) return conversation;
  return {
    ...conversation,
    ...NO_AUDIO,
    user_id: null,
    transcript: [],
    analysis: null,
    metadata: { ...conversation.metadata, phone_call: null, sms: null, whatsapp: null },
    conversation_initiation_client_data: null,
  };
}

/** A copy with fields, values and nulls that no client expects. */
export function oddConversation(conversation: Conversation, oddities: readonly Oddity[]): Conversation {
  if (oddities.length === 0) return conversation;
  const strange: Fields = oddities.includes('unknown_value')
    ? { conversation_initiation_source: 'carrier_pigeon', authorization_method: 'handshake' }
    : {};
  const empty: Fields = oddities.includes('null') ? { termination_reason: null, features_usage: null, cost: null } : {};
  return {
    ...conversation,
    ...(oddities.includes('unknown_field') ? { x_new_field: { nested: [1, null] } } : {}),
    ...(oddities.includes('null') ? { agent_name: null, visited_agents: null } : {}),
    metadata: { ...conversation.metadata, ...strange, ...empty },
  };
}
