// What lagging lists show: every record as it was some time ago.
import type { Notes } from './notes.js';

/** A record without its bulky fields. */
export interface Head<T, N extends Notes> {
  head: T;
  notes: N;
}

interface Version<T, N extends Notes> extends Head<T, N> {
  sinceMs: number;
}

/** Keeps earlier states of a record for as long as a list may show them. Times in milliseconds. */
export class Lag<T, N extends Notes> {
  private readonly versions = new Map<string, Version<T, N>[]>();

  constructor(
    private readonly clock: () => number,
    private readonly lagMs: () => number,
  ) {}

  /** The time whose state lists show now. */
  get asOfMs(): number {
    return this.clock() - this.lagMs();
  }

  /** Registers the change of a record. */
  changed(id: string, before: Head<T, N>, after: Head<T, N>): void {
    if (this.lagMs() === 0) return void this.versions.delete(id);
    const all = [...this.known(id, before), { ...after, sinceMs: this.clock() }];
    this.versions.set(
      id,
      all.filter((_, index) => (all[index + 1]?.sinceMs ?? Infinity) > this.asOfMs),
    );
  }

  /** The state of a record that lists show; undefined when the record is too new. */
  seen(id: string, current: Head<T, N>): Head<T, N> | undefined {
    return this.lagMs() === 0 ? current : this.known(id, current).findLast(({ sinceMs }) => sinceMs <= this.asOfMs);
  }

  forget(id: string): void {
    this.versions.delete(id);
  }

  private known(id: string, otherwise: Head<T, N>): Version<T, N>[] {
    return this.versions.get(id) ?? [{ ...otherwise, sinceMs: otherwise.notes.createdMs }];
  }
}
