// (state, facts) → state. Pure, commutative, idempotent; the only way in which facts change a conversation.
import type { ConversationState } from './conversation-state.js';
import type { Fact } from './fact.js';
import { merge } from './merge.js';
import { writesOf } from './register-writes.js';

export interface Reduction {
  state: ConversationState;
  /** New content that must be stored: `transcript` (turns) and `record` (document). */
  blobs: Map<string, unknown>;
}

/** Applies facts in any order, any number of times. */
export function reduce(state: ConversationState, facts: Fact[]): Reduction {
  const { registers, blobs } = merge(state.registers, facts.flatMap(writesOf));
  return {
    state: {
      registers,
      firstSeen: facts.reduce((first, { receivedAt }) => Math.min(first, receivedAt), state.firstSeen),
      lastSeen: facts.reduce((last, { receivedAt }) => Math.max(last, receivedAt), state.lastSeen),
    },
    blobs,
  };
}
