// Names that workflows and services share. Without the SDK, so that both sides may import it.

/** Workflows and short activities run on `conversations`; downloads, and long activities of accounts, on queues of their own. */
export const QUEUE = {
  conversations: 'conversations',
  recordings: 'recordings',
  reconciliation: 'reconciliation',
} as const;

/** Header that carries a W3C traceparent: random ids, no content. */
export const TRACE_HEADER = 'traceparent';
