// Names shared by workflows and services. Without the SDK, so that both may import this file.

/** Task queues. Workflows and short activities use `conversations`; downloads and long activities of accounts have their own. */
export const QUEUE = {
  conversations: 'conversations',
  recordings: 'recordings',
  reconciliation: 'reconciliation',
} as const;

/** Header with a W3C traceparent: random ids, no content. */
export const TRACE_HEADER = 'traceparent';
