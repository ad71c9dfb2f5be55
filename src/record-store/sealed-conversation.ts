// The rows of a change: with our agent ids and sealed content.
import type { ConversationRecord } from '../reducer/record.js';
import type { SealedParts } from './sealed-parts.js';
import type { ConversationRef } from './conversation-ref.js';

export interface SealedConversation {
  ref: ConversationRef;
  agentId: string | null;
  record: ConversationRecord;
  revision: number;
  /** Revision of the state and of the provider's document. */
  stateRevision: number;
  /** A header has no `audio` part. */
  header: SealedParts;
  state: SealedParts;
  /** Null: unchanged. */
  providerRecord: SealedParts | null;
  transcript: Buffer | null;
  /** Recordings that are new or have a new copy. */
  recordings: ConversationRecord['recordings'];
}
