// Retell's chat object, as its HTTP API and its webhooks carry it (retell-sdk 5.66). Enumerations are plain strings.
import type { Fields } from '../records.js';
import type { CallCost } from './call.js';

/** One entry of a chat; unlike entries of calls it has an id and a time (epoch milliseconds). */
export interface ChatMessage {
  role: string;
  message_id: string;
  created_timestamp: number;
  [field: string]: unknown;
}

/** A chat. `…_timestamp` are epoch milliseconds. It has neither numbers nor a direction, even as an SMS chat. */
export interface RetellChat {
  chat_id: string;
  agent_id: string;
  version: number;
  chat_status: string;
  chat_type: string;
  start_timestamp?: number;
  end_timestamp?: number;
  transcript?: string;
  message_with_tool_calls?: ChatMessage[];
  chat_analysis?: Fields;
  chat_cost?: Pick<CallCost, 'combined_cost' | 'product_costs'>;
  metadata?: unknown;
  retell_llm_dynamic_variables?: Record<string, string>;
  collected_dynamic_variables?: Record<string, string>;
  custom_attributes?: Fields;
  [field: string]: unknown;
}

/** The fields that lists omit. */
export const MESSAGE_FIELDS = ['transcript', 'message_with_tool_calls'] as const;

/** The fields that a chat has only after its end. */
export const CHAT_END_FIELDS = [
  ...MESSAGE_FIELDS,
  'end_timestamp',
  'chat_analysis',
  'chat_cost',
  'collected_dynamic_variables',
] as const;
