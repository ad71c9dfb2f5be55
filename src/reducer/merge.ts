// Merges claims into registers. The result does not depend on the order, so that every order of facts gives the same record.
import { compareStamps, type Registers, type RegisterWrite } from './registers.js';

export interface Merged {
  registers: Registers;
  /** Large content of the claims that won, by register. */
  blobs: Map<string, unknown>;
}

/** Applies claims. Commutative, associative, idempotent. */
export function merge(registers: Registers, writes: RegisterWrite[]): Merged {
  const merged = { ...registers };
  const blobs = new Map<string, unknown>();
  for (const write of writes) {
    const { key, value, stamp, blob } = write;
    const current = merged[key];
    if (!wins(merged, write)) continue;
    merged[key] = { value, stamp };
    // The same content from another document is not new: nothing to store, and no change for readers.
    if (blob !== undefined && !(current !== undefined && isSameContent(current.value, value))) blobs.set(key, blob);
  }
  return { registers: merged, blobs };
}

/** Whether the claim replaces the current value of its register. */
export function wins(registers: Registers, { key, stamp, keep }: RegisterWrite): boolean {
  const current = registers[key];
  if (current === undefined) return true;
  const order = compareStamps(stamp, current.stamp);
  return keep === 'last' ? order > 0 : order < 0;
}

const digestOf = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && 'digest' in value ? value.digest : undefined;

const isSameContent = (a: unknown, b: unknown): boolean => digestOf(a) !== undefined && digestOf(a) === digestOf(b);
