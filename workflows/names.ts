// Names that workflows and services share. Without the SDK, so that both sides may import it.

/** Workflows and short activities run on `conversations`; downloads, and long activities of accounts, on queues of their own. */
export const QUEUE = {
  conversations: 'conversations',
  recordings: 'recordings',
  reconciliation: 'reconciliation',
} as const;

/** Names of workflow functions. */
export const WORKFLOW = {
  conversation: 'conversation',
  reconciliation: 'reconciliation',
} as const;

export const SIGNAL = {
  /** Something happened to the conversation: {@link ConversationNews}. */
  wake: 'wake',
  /** There is something to do for the account, whatever the run under way knows. */
  asked: 'asked',
} as const;

/** `started` and `ended`: of the conversation's life; `late`: it had settled, and now there is work again. */
export type ConversationNews = 'started' | 'ended' | 'late';

/** Header that carries a W3C traceparent: random ids, no content. */
export const TRACE_HEADER = 'traceparent';

/** Id of the workflow of a conversation (`conv_…`). */
export const conversationWorkflowId = (conversationId: string): string => `conversation/${conversationId}`;

/** Id of the workflow that brings in the past of an account (`pa_…`). */
export const backfillWorkflowId = (accountId: string): string => `reconciliation/backfill/${accountId}`;
