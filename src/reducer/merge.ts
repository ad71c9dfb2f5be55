// Registers merge in any order. The heart of the promise that every order of receiving ends in the same record.
import { compareStamps, type Registers, type RegisterWrite } from './registers.js';

export interface Merged {
  registers: Registers;
  /** Content of the claims that won, by the name of the register. */
  blobs: Map<string, unknown>;
}

/** Applies claims; returns the registers and the blobs of the winners. Commutative, associative, idempotent. */
export function merge(registers: Registers, writes: RegisterWrite[]): Merged {
  const merged = { ...registers };
  const blobs = new Map<string, unknown>();
  for (const write of writes) {
    const { key, value, stamp, blob } = write;
    const current = merged[key];
    if (!wins(merged, write)) continue;
    merged[key] = { value, stamp };
    // The same content in another document is no new content: nothing to store, nothing to tell readers.
    if (blob !== undefined && !(current !== undefined && isSameContent(current.value, value))) blobs.set(key, blob);
  }
  return { registers: merged, blobs };
}

/** The claim takes its register from whoever has it. */
export function wins(registers: Registers, { key, stamp, keep }: RegisterWrite): boolean {
  const current = registers[key];
  if (current === undefined) return true;
  const order = compareStamps(stamp, current.stamp);
  return keep === 'last' ? order > 0 : order < 0;
}

const digestOf = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && 'digest' in value ? value.digest : undefined;

const isSameContent = (a: unknown, b: unknown): boolean => digestOf(a) !== undefined && digestOf(a) === digestOf(b);
