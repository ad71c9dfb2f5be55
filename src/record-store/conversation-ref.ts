/** Identifies a conversation, its client and its source; common to all of its rows. */
export interface ConversationRef {
  conversationId: string;
  clientId: string;
  providerAccountId: string;
  provider: string;
  createdAt: Date;
}
