// The simulated workspace's conversations.
import { Random } from '../random.js';
import type { Lag } from '../lag.js';
import { Records, type Fields, type RecordKind } from '../records.js';
import type { Notes } from '../notes.js';
import { completeConversation } from './complete-conversation.js';
import type { Conversation, Sentiment } from './conversation.js';
import { sentimentOf } from './measures.js';
import type { Scenario } from './plan.js';

/** What the simulator knows about a conversation besides the document. Times are epoch milliseconds. */
export interface ConversationNotes extends Notes {
  /** The scenario that it was planned with. */
  scenario: Scenario;
  /** The fields that the caller set when it began. */
  fields?: Fields;
  /** For the list, which has no transcript to count messages in. */
  messageCount: number;
  toolNames: string[];
  sentiment: Sentiment | null;
  parentId?: string;
  /** `processing` until this time, then automatically `done`. */
  doneFromMs?: number;
  /** No audio before this time. */
  audioFromMs?: number;
  /** How often it has been analysed. */
  analyses?: number;
}

export type Conversations = Records<Conversation, ConversationNotes>;

/** An empty store of conversations. */
export function emptyConversations(lag: Lag<Conversation, ConversationNotes>): Conversations {
  const kind: RecordKind<Conversation, ConversationNotes> = {
    idOf: (head) => head.conversation_id,
    bulky: ['transcript'],
    derive: (head, notes) => {
      const fields: Fields = {
        agent_id: head.agent_id,
        conversation_id: head.conversation_id,
        metadata: head.metadata,
      };
      return { transcript: completeConversation(notes.seed, fields, notes.scenario).transcript };
    },
  };
  return new Records(kind, lag);
}

/** What the list shows of a transcript. */
export function listNotes(
  conversation: Conversation,
  seed: string,
): Pick<ConversationNotes, 'messageCount' | 'toolNames' | 'sentiment'> {
  const items = conversation.transcript;
  const names = items.flatMap((item) => (item.tool_calls ?? []).map((call) => call.tool_name));
  const scored = items.filter((item) => item.role === 'user' && item.message !== null).length;
  return {
    messageCount: items.length,
    toolNames: [...new Set(names)],
    sentiment: sentimentOf(new Random(`${seed} el sentiment`), scored),
  };
}
