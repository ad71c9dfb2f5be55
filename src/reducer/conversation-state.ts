// What is stored of a conversation's facts: enough to apply further facts in any order.
import type { Registers } from './registers.js';

export interface ConversationState {
  registers: Registers;
  /** Epoch milliseconds of the first and the last receipt of any fact. */
  firstSeen: number;
  lastSeen: number;
}

/** State of a conversation without facts. */
export const EMPTY: ConversationState = { registers: {}, firstSeen: Infinity, lastSeen: -Infinity };

/** A state and the revision of the record that it produced. */
export interface StateAtRevision {
  state: ConversationState;
  revision: number;
}
