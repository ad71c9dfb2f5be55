// What Retell's API returns for a chat at a given time.
import type { Oddity } from '../faults.js';
import { omit } from '../records.js';
import type { RetellChat } from './chat.js';
import type { ChatNotes } from './chat-notes.js';

/** A chat as visible at `nowMs`: without an analysis that is not due yet. */
export function chatKnownAt(chat: RetellChat, notes: Pick<ChatNotes, 'analysisFromMs'>, nowMs: number): RetellChat {
  return notes.analysisFromMs !== undefined && nowMs < notes.analysisFromMs ? omit(chat, ['chat_analysis']) : chat;
}

/** A copy with fields, values and nulls that no client expects. */
export function oddChat(chat: RetellChat, oddities: readonly Oddity[]): RetellChat {
  const { chat_analysis: analysis } = chat;
  return {
    ...chat,
    ...(oddities.includes('unknown_field') ? { x_new_field: { nested: [1, null] } } : {}),
    ...(oddities.includes('unknown_value') ? { chat_type: 'pigeon_chat' } : {}),
    ...(oddities.includes('null') ? { metadata: null } : {}),
    ...(oddities.includes('null') && analysis ? { chat_analysis: { ...analysis, chat_summary: null } } : {}),
  };
}
