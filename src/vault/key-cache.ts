// Caches unwrapped keys in this process: at most 1,000, each for at most 60 s. The cache stores and returns copies, so that
// wiping an evicted key never affects a request that is using it. (Reference counting would need every caller to release keys.)
// A caller's copy is left to the garbage collector; wiping is best effort, because V8 may have moved the bytes.

/** What a cache keeps. */
export interface Cacheable<Self> {
  copy(): Self;
  /** Overwrites what is secret in it. */
  wipe(): void;
}

const MAX_ENTRIES = 1_000;
/** Served for 55 s and swept every 5 s, so that none is in memory for more than 60 s. */
const SERVED_MS = 55_000;
const SWEEP_MS = 5_000;

interface CacheOptions {
  maxEntries?: number;
  /** Milliseconds, monotonic. */
  now?: () => number;
}

export class KeyCache<Key extends Cacheable<Key>> {
  readonly #entries = new Map<string, { key: Key; servedUntil: number }>();
  readonly #maxEntries: number;
  readonly #now: () => number;
  readonly #sweeper: NodeJS.Timeout;
  #drops = 0;

  constructor({ maxEntries = MAX_ENTRIES, now = () => performance.now() }: CacheOptions = {}) {
    this.#maxEntries = maxEntries;
    this.#now = now;
    this.#sweeper = setInterval(() => this.sweep(), SWEEP_MS).unref();
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Take a ticket before reading a key from the keystore, and pass it to {@link put}. */
  ticket(): number {
    return this.#drops;
  }

  /** A copy for the caller, or undefined. */
  get(name: string): Key | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined || entry.servedUntil <= this.#now()) return undefined;
    // A Map keeps insertion order: moving the entry to the end makes the least recently used one the first.
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    return entry.key.copy();
  }

  /** Stores a copy, unless any key was dropped since the ticket was taken: this one may have been destroyed meanwhile. */
  put(name: string, key: Key, ticket: number): void {
    if (ticket !== this.#drops) return;
    this.#evict(name);
    this.#entries.set(name, { key: key.copy(), servedUntil: this.#now() + SERVED_MS });
    while (this.#entries.size > this.#maxEntries) {
      const [oldest] = this.#entries.keys();
      if (oldest !== undefined) this.#evict(oldest);
    }
  }

  drop(name: string): void {
    this.#drops += 1;
    this.#evict(name);
  }

  sweep(): void {
    const now = this.#now();
    for (const [name, entry] of this.#entries) if (entry.servedUntil <= now) this.#evict(name);
  }

  close(): void {
    clearInterval(this.#sweeper);
    this.#drops += 1;
    for (const name of this.#entries.keys()) this.#evict(name);
  }

  #evict(name: string): void {
    this.#entries.get(name)?.key.wipe();
    this.#entries.delete(name);
  }
}
