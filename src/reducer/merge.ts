// Registers that merge in any order. The heart of the promise that every order of receiving ends in the same record.

/**
 * What decides between two claims to one value, compared element by element: rank (a status never falls), phase of the
 * document, provider time, receipt, hash of the bytes. The hash makes the order total.
 */
export type Stamp = readonly [rank: number, phase: number, providerTime: number, receivedAt: number, hash: string];

export interface Register<Value = unknown> {
  value: Value;
  stamp: Stamp;
}

/** One claim to one register. `keep: 'first'` lets the lowest stamp win: what was true at the start. */
export interface Assertion {
  key: string;
  value: unknown;
  stamp: Stamp;
  keep: 'first' | 'last';
  /**
   * Large content that goes to its own table; the register itself holds `value`, a summary of it. A `digest` in the
   * summary tells whether the content is the one that is stored already.
   */
  blob?: unknown;
}

export type Registers = Record<string, Register>;

/** Negative when `a` comes first. */
export function compareStamps(a: Stamp, b: Stamp): number {
  for (let index = 0; index < a.length; index += 1) {
    const [left, right] = [a[index], b[index]];
    if (left === undefined || right === undefined || left === right) continue;
    return left < right ? -1 : 1;
  }
  return 0;
}

/** Applies assertions; returns the registers and the blobs of the winners. Commutative, associative, idempotent. */
export function merge(
  registers: Registers,
  assertions: Assertion[],
): { registers: Registers; blobs: Map<string, unknown> } {
  const merged = { ...registers };
  const blobs = new Map<string, unknown>();
  for (const { key, value, stamp, keep, blob } of assertions) {
    const current = merged[key];
    const order = current === undefined ? 1 : compareStamps(stamp, current.stamp);
    if (current !== undefined && (keep === 'last' ? order <= 0 : order >= 0)) continue;
    merged[key] = { value, stamp };
    // The same content in another document is no new content: nothing to store, nothing to tell readers.
    if (blob !== undefined && !(current !== undefined && isSameContent(current.value, value))) blobs.set(key, blob);
  }
  return { registers: merged, blobs };
}

const digestOf = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && 'digest' in value ? value.digest : undefined;

const isSameContent = (a: unknown, b: unknown): boolean => digestOf(a) !== undefined && digestOf(a) === digestOf(b);
