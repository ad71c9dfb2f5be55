// Caches which provider accounts exist; the webhook door asks before it reads a body. Costs one query per minute and account;
// all look-ups share at most one query per 100 ms, so a flood of unknown ids costs little.
import { AppError } from '../common/errors.js';
import type { Database } from '../database/database.js';

export interface KnownAccount {
  id: string;
  clientId: string;
  provider: string;
}

const CACHE_MS = 60_000;
const QUERY_EVERY_MS = 100;
/** Size of each of the two caches; existing accounts are not evicted by unknown ids. */
const MAX_CACHED = 10_000;
/** Most look-ups of unknown ids that wait for the database at once. */
const MAX_WAITING = 1_000;

interface CachedAccount {
  account: KnownAccount | null;
  at: number;
}

interface PendingLookup {
  id: string;
  resolve: (account: KnownAccount | null) => void;
  reject: (error: unknown) => void;
}

const FIND = `
select id, client_id as "clientId", provider from provider_accounts where id = any($1::uuid[]) and deleted_at is null`;

export class KnownAccounts {
  private readonly existing = new Map<string, CachedAccount>();
  private readonly missing = new Map<string, CachedAccount>();
  private pending: PendingLookup[] = [];
  private waiting = 0;
  private timer: NodeJS.Timeout | undefined;
  private lastAt = -Infinity;

  constructor(private readonly database: Database) {}

  /** The account, or null if it does not exist or was deleted. Throws `storage_unavailable`. */
  async find(id: string): Promise<KnownAccount | null> {
    const cached = this.existing.get(id) ?? this.missing.get(id);
    if (cached !== undefined && performance.now() - cached.at < CACHE_MS) return cached.account;
    return this.existing.has(id) ? this.enqueue(id) : this.enqueueBounded(id);
  }

  private async enqueueBounded(id: string): Promise<KnownAccount | null> {
    if (this.waiting >= MAX_WAITING) {
      throw new AppError('storage_unavailable', 'too many unknown accounts at once: retry', {
        headers: { 'retry-after': '2' },
      });
    }
    this.waiting += 1;
    try {
      return await this.enqueue(id);
    } finally {
      this.waiting -= 1;
    }
  }

  private enqueue(id: string): Promise<KnownAccount | null> {
    const wait = Math.max(0, this.lastAt + QUERY_EVERY_MS - performance.now());
    this.timer ??= setTimeout(() => void this.lookUp(), wait);
    return new Promise((resolve, reject) => void this.pending.push({ id, resolve, reject }));
  }

  private async lookUp(): Promise<void> {
    const { pending } = this;
    this.pending = [];
    this.timer = undefined;
    this.lastAt = performance.now();
    const ids = [...new Set(pending.map(({ id }) => id))];
    try {
      const rows = await this.database.once<KnownAccount>('all', { name: 'known_accounts', text: FIND, values: [ids] });
      const found = new Map(rows.map((account) => [account.id, account]));
      for (const id of ids) this.cache(id, found.get(id) ?? null);
      for (const { id, resolve } of pending) resolve(found.get(id) ?? null);
    } catch (error) {
      for (const { reject } of pending) reject(error);
    }
  }

  private cache(id: string, account: KnownAccount | null): void {
    const [into, other] = account === null ? [this.missing, this.existing] : [this.existing, this.missing];
    other.delete(id);
    into.delete(id);
    if (into.size >= MAX_CACHED) into.delete(into.keys().next().value ?? id);
    into.set(id, { account, at: performance.now() });
  }
}
