// (state, facts) → state. Pure, commutative, idempotent; nothing else decides what a conversation is.
import { assertionsOf } from './register-writes.js';
import type { Fact } from './fact.js';
import { merge, type Registers } from './merge.js';

export interface ConversationState {
  registers: Registers;
  /** Epoch milliseconds of the first and the last receipt of any fact. */
  firstSeen: number;
  lastSeen: number;
}

export interface Reduction {
  state: ConversationState;
  /** Content that won its register in this reduction and must be stored: `transcript` (turns), `record` (document). */
  blobs: Map<string, unknown>;
}

export const EMPTY: ConversationState = { registers: {}, firstSeen: Infinity, lastSeen: -Infinity };

/** Applies facts in any order, any number of times. */
export function reduce(state: ConversationState, facts: Fact[]): Reduction {
  const { registers, blobs } = merge(state.registers, facts.flatMap(assertionsOf));
  return {
    state: {
      registers,
      firstSeen: facts.reduce((first, { receivedAt }) => Math.min(first, receivedAt), state.firstSeen),
      lastSeen: facts.reduce((last, { receivedAt }) => Math.max(last, receivedAt), state.lastSeen),
    },
    blobs,
  };
}
