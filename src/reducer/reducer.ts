// (state, facts) → state. Pure, commutative, idempotent; the only way in which facts change a conversation.
import type { ConversationState } from './conversation-state.js';
import type { Fact } from './fact.js';
import { merge } from './merge.js';
import type { Part } from '../providers/provider-fact.js';
import { ofDestroyedKey, writesOf } from './register-writes.js';
import { withoutErased } from './registers.js';

export interface Reduction {
  state: ConversationState;
  /** New content that must be stored: `transcript` (turns) and `record` (document). */
  blobs: Map<string, unknown>;
}

/** Applies facts in any order, any number of times. */
export function reduce(state: ConversationState, facts: Fact[]): Reduction {
  const merged = merge(state.registers, facts.flatMap(writesOf));
  const { registers, blobs } = withoutErased(merged.registers, merged.blobs);
  return {
    state: {
      registers,
      firstSeen: facts.reduce((first, { receivedAt }) => Math.min(first, receivedAt), state.firstSeen),
      lastSeen: facts.reduce((last, { receivedAt }) => Math.max(last, receivedAt), state.lastSeen),
    },
    blobs,
  };
}

/** The state once the keys of these parts are known to be destroyed, at a time in epoch milliseconds: they are erased. */
export function withDestroyedKeys(state: ConversationState, parts: Part[], at: number): ConversationState {
  if (parts.length === 0) return state;
  const writes = parts.map((part) => ofDestroyedKey(part, at));
  return { ...state, registers: withoutErased(merge(state.registers, writes).registers, new Map()).registers };
}
