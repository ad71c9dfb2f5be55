// What is kept of a conversation's facts: enough to apply more of them, in any order.
import type { Registers } from './registers.js';

export interface ConversationState {
  registers: Registers;
  /** Epoch milliseconds of the first and the last receipt of any fact. */
  firstSeen: number;
  lastSeen: number;
}

/** Of a conversation that nothing is known of. */
export const EMPTY: ConversationState = { registers: {}, firstSeen: Infinity, lastSeen: -Infinity };

/** The state that a revision was made from. */
export interface StateAtRevision {
  state: ConversationState;
  revision: number;
}
