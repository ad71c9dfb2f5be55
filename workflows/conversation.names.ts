// What others call the workflow of a conversation. Without the SDK: those who write its commands may not import that.

/** Name of the workflow function. */
export const CONVERSATION = 'conversation';

/** Signal: something happened to the conversation ({@link ConversationNews}). */
export const WAKE = 'wake';

/** `started` and `ended`: of the conversation's life; `late`: it had settled, and now there is work again. */
export type ConversationNews = 'started' | 'ended' | 'late';

/** Id of the workflow of a conversation (`conv_…`). */
export const conversationWorkflowId = (conversationId: string): string => `conversation/${conversationId}`;
