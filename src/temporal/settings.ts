// Names that client and worker share.
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/** Workflows and short activities run on `conversations`; downloads, and long activities of accounts, on queues of their own. */
export const QUEUE = {
  conversations: 'conversations',
  recordings: 'recordings',
  reconciliation: 'reconciliation',
} as const;

/** Ids and enumerations only: search attributes are plain text to everybody who may see a workflow. */
export const SEARCH_ATTRIBUTE = {
  clientId: defineSearchAttributeKey('ClientId', SearchAttributeType.KEYWORD),
  provider: defineSearchAttributeKey('Provider', SearchAttributeType.KEYWORD),
  channel: defineSearchAttributeKey('Channel', SearchAttributeType.KEYWORD),
} as const;
