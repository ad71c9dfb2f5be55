// What is stored of a conversation's facts: enough to apply further facts in any order.
import type { ByClass } from '../common/data-class.js';
import { registersByClass, type Registers } from './registers.js';

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

/** A state as it is stored: the registers of each class by themselves, the times with those of the record. */
export interface StateParts extends ByClass<Registers | ConversationState> {
  record: ConversationState;
}

export function stateParts({ registers, firstSeen, lastSeen }: ConversationState): StateParts {
  const { record = {}, ...others } = registersByClass(registers);
  return { record: { registers: record, firstSeen, lastSeen }, ...others };
}

/** The state that these are parts of, without what absent parts hold. */
export function joinState({ record, ...others }: StateParts): ConversationState {
  return { ...record, registers: Object.assign({}, record.registers, ...Object.values(others)) as Registers };
}
