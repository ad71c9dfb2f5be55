// A conversation's change as its rows will be: agents by our ids, content sealed.
import type { ConversationRecord } from '../reducer/record.js';
import type { SealedParts } from './sealed-parts.js';
import type { ConversationRef } from './conversation-ref.js';

export interface SealedConversation {
  ref: ConversationRef;
  agentId: string | null;
  record: ConversationRecord;
  revision: number;
  /** Of the state, and of what the provider's document is written with. */
  stateRevision: number;
  /** A header has no part of audio. */
  header: SealedParts;
  state: SealedParts;
  /** Null: they did not change. */
  providerRecord: SealedParts | null;
  transcript: Buffer | null;
  /** Those that are new, or another copy than before. */
  recordings: ConversationRecord['recordings'];
}
