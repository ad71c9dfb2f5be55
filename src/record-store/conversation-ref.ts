/** Which conversation, whose, and where it comes from: what its rows have in common. */
export interface ConversationRef {
  conversationId: string;
  clientId: string;
  providerAccountId: string;
  provider: string;
  createdAt: Date;
}
