// Names that client and worker share.
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

export const QUEUE = { conversations: 'conversations' } as const;

/** Ids and enumerations only: search attributes are plain text to everybody who may see a workflow. */
export const SEARCH_ATTRIBUTE = {
  clientId: defineSearchAttributeKey('ClientId', SearchAttributeType.KEYWORD),
  provider: defineSearchAttributeKey('Provider', SearchAttributeType.KEYWORD),
  channel: defineSearchAttributeKey('Channel', SearchAttributeType.KEYWORD),
} as const;
