// Unwrapped keys in this process, for at most 60 s and at most 1,000 of them.
// The cache owns its copies: it takes a copy in and gives copies out, so wiping one on eviction can never hit a key
// that a request is sealing with. (The option not taken, counting references, needs every caller to give keys back.)
// A caller's copy is left to the garbage collector; wiping is best effort, as V8 may have moved the bytes before.

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

  /** Take before reading a key from the keystore and hand to {@link put}. */
  ticket(): number {
    return this.#drops;
  }

  /** A copy for the caller, or undefined. */
  get(name: string): Key | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined || entry.servedUntil <= this.#now()) return undefined;
    // Map keeps insertion order: moved to the end, so that the least recently used is evicted first.
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    return entry.key.copy();
  }

  /** Keeps a copy, unless a key was dropped since the ticket: this one may be what a destruction just removed. */
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
