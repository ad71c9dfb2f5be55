// Signals and inputs: ids, enumerations and times only. Words never travel through Temporal.
import { defineSignal } from '@temporalio/workflow';

export interface ConversationInput {
  /** conv_… */
  conversationId: string;
}

export interface AccountInput {
  /** pa_… */
  accountId: string;
}

/** `started` and `ended` are news of the conversation's life; `late`: it had settled, and now there is work again. */
export type Wake = 'started' | 'ended' | 'late';

/** There is something to do for the account, whatever the run under way knows. */
export const askedSignal = defineSignal('asked');

export const wakeSignal = defineSignal<[Wake]>('wake', {});

/** Header that carries a W3C traceparent: random ids, no content. */
export const TRACE_HEADER = 'traceparent';
