// Names of the conversation workflow. Without the SDK, because the code that writes workflow commands must not import it.

/** Name of the workflow function. */
export const CONVERSATION = 'conversation';

/** Name of the signal that something happened to the conversation ({@link ConversationNews}). */
export const WAKE = 'wake';

/** `started` and `ended`: the conversation did; `late`: there is new work after it had settled. */
export type ConversationNews = 'started' | 'ended' | 'late';

/** Id of the workflow of a conversation (`conv_…`). */
export const conversationWorkflowId = (conversationId: string): string => `conversation/${conversationId}`;
