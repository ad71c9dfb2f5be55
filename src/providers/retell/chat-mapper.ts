// Retell's chat document → claims. A chat has no numbers, direction or audio. Pure.
import type { Claims, Fields, Json, Turn } from '../provider-fact.js';
import { compact } from '../provider-mapping.js';
import { analysisOf, costOf, metadataOf, storesNothing, withoutSecrets } from './common.js';
import { endOf } from './end-reasons.js';
import { MAPPING_VERSION } from './mapping-version.js';
import { chat as chatSchema, type RetellChat, type RetellMessage } from './payload.js';
import { toTurns } from './transcript.js';

const ENDED = new Set(['ended', 'error']);

/** Claims of a chat document. `event` is the webhook's type, or null for the provider's own record. */
export function claimsOfChat(document: Json, event: string | null): Claims {
  const chat = chatSchema.parse(document);
  const hasEnded = ENDED.has(chat.chat_status ?? '') || event === 'chat_ended' || event === 'chat_analyzed';
  const analysed = chat.chat_analysis !== null && chat.chat_analysis !== undefined;
  const turns = turnsOf(chat);
  return {
    mappingVersion: MAPPING_VERSION,
    kind: 'chat',
    phase: hasEnded ? (analysed ? 4 : 3) : event === 'chat_started' ? 1 : 2,
    providerTime: chat.end_timestamp ?? chat.start_timestamp ?? null,
    live: hasEnded ? null : 'active',
    ended: hasEnded ? { failed: chat.chat_status === 'error', neverConnected: false } : null,
    agent: chat.agent_id
      ? { providerAgentId: chat.agent_id, name: chat.agent_name ?? null, version: versionOf(chat) }
      : null,
    fields: fieldsOf(chat, hasEnded),
    transfers: [],
    recordings: [],
    audio: [],
    transcript: turns === null || turns.length === 0 ? null : { turns, final: hasEnded },
    analysed,
    denied: hasEnded ? deniedOf(turns, event === null && storesNothing(chat)) : [],
    record: withoutSecrets(document),
  };
}

/** Parts that do not exist: a chat has no audio, an empty list of messages no transcript, and what is not stored never comes. */
const deniedOf = (turns: Turn[] | null, isUnstored: boolean): Claims['denied'] => [
  { part: 'audio', reason: 'text_only' },
  ...(turns?.length === 0 ? [{ part: 'transcript', reason: 'empty' } as const] : []),
  ...(turns === null && isUnstored ? [{ part: 'transcript', reason: 'zero_retention' } as const] : []),
];

const versionOf = ({ version }: RetellChat): string | null =>
  version === null || version === undefined ? null : String(version);

function fieldsOf(chat: RetellChat, hasEnded: boolean): Partial<Fields> {
  const analysis = chat.chat_analysis;
  const metadata = { ...chat.custom_attributes, ...metadataOf(chat.metadata) };
  return compact({
    provider_conversation_id: chat.chat_id,
    channel: chat.chat_type && (chat.chat_type === 'sms_chat' ? 'sms' : 'chat'),
    start_time: chat.start_timestamp,
    end_time: hasEnded ? chat.end_timestamp : undefined,
    end: hasEnded ? endOfChat(chat) : undefined,
    ...analysisOf(analysis, analysis?.chat_summary, analysis?.chat_successful),
    // Chats are billed by message; the bill is final once the analysis is there, which comes last.
    cost: hasEnded ? costOf(chat.chat_cost, Boolean(analysis)) : undefined,
    metadata: Object.keys(metadata).length === 0 ? undefined : metadata,
    variables: chat.retell_llm_dynamic_variables,
    collected_variables: chat.collected_dynamic_variables,
  });
}

/** Chats rarely contain a reason; a broken one counts as the provider's error. */
function endOfChat({ chat_status: status, disconnection_reason: reason }: RetellChat): Fields['end'] | undefined {
  if (reason) return { ...endOf(reason), provider_reason: reason };
  return status === 'error' ? { category: 'error_provider', party: 'provider', provider_reason: null } : undefined;
}

/** Messages have their own times, converted to milliseconds from the start of the chat. */
function turnsOf({ message_with_tool_calls: messages, start_timestamp: start }: RetellChat): Turn[] | null {
  if (messages === null || messages === undefined) return null;
  return toTurns(messages).map((turn, index) => {
    const message = messages[index];
    const at = message?.created_timestamp;
    const offset = typeof at === 'number' && typeof start === 'number' ? Math.max(0, Math.round(at - start)) : null;
    return { ...turn, text: message?.role === 'state_transition' ? stateText(message) : turn.text, start_ms: offset };
  });
}

const stateText = (message: RetellMessage): string =>
  `${message.former_state_name ?? '?'} → ${message.new_state_name ?? '?'}`;
