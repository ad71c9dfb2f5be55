// What lists show while they lag behind: every record as it was some time ago.
import type { Notes } from './notes.js';

/** A record without its bulky part. */
export interface Head<T, N extends Notes> {
  head: T;
  notes: N;
}

interface Version<T, N extends Notes> extends Head<T, N> {
  sinceMs: number;
}

/** Remembers, as long as a list may show it, what a record was. Times in milliseconds. */
export class Lag<T, N extends Notes> {
  private readonly versions = new Map<string, Version<T, N>[]>();

  constructor(
    private readonly clock: () => number,
    private readonly lagMs: () => number,
  ) {}

  /** The time of which lists tell now. */
  get asOfMs(): number {
    return this.clock() - this.lagMs();
  }

  /** A record has become another. */
  changed(id: string, before: Head<T, N>, after: Head<T, N>): void {
    if (this.lagMs() === 0) return void this.versions.delete(id);
    const all = [...this.known(id, before), { ...after, sinceMs: this.clock() }];
    this.versions.set(
      id,
      all.filter((_, index) => (all[index + 1]?.sinceMs ?? Infinity) > this.asOfMs),
    );
  }

  /** What lists show of a record; undefined when it is too new. */
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
