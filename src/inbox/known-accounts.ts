// Which provider accounts there are, for the door to ask before it reads a body. Asking costs a query once a minute and
// account; a flood of ids that nobody knows shares one query in 100 ms.
import { AppError } from '../common/errors.js';
import type { Database } from '../database/database.js';

export interface KnownAccount {
  id: string;
  clientId: string;
  provider: string;
}

/** Held so long, there or not. */
const HELD_MS = 60_000;
const EVERY_MS = 100;
/** Of each kind: those that are there are not driven out by those that are not. */
const MAX_HELD = 10_000;
/** More ids that nobody knows do not wait for the database at once. */
const MAX_STRANGERS = 1_000;

interface Held {
  account: KnownAccount | null;
  at: number;
}

interface Asking {
  id: string;
  resolve: (account: KnownAccount | null) => void;
  reject: (error: unknown) => void;
}

const FIND = `
select id, client_id as "clientId", provider from provider_accounts where id = any($1::uuid[]) and deleted_at is null`;

export class KnownAccounts {
  private readonly there = new Map<string, Held>();
  private readonly absent = new Map<string, Held>();
  private asking: Asking[] = [];
  private strangers = 0;
  private timer: NodeJS.Timeout | undefined;
  private lastAt = -Infinity;

  constructor(private readonly database: Database) {}

  /** The account, or null when there is none or it was deleted. Throws `storage_unavailable`. */
  async find(id: string): Promise<KnownAccount | null> {
    const held = this.there.get(id) ?? this.absent.get(id);
    if (held !== undefined && performance.now() - held.at < HELD_MS) return held.account;
    return this.there.has(id) ? this.ask(id) : this.askForStranger(id);
  }

  private async askForStranger(id: string): Promise<KnownAccount | null> {
    if (this.strangers >= MAX_STRANGERS) {
      throw new AppError('storage_unavailable', 'too many unknown accounts at once: repeat', {
        headers: { 'retry-after': '2' },
      });
    }
    this.strangers += 1;
    try {
      return await this.ask(id);
    } finally {
      this.strangers -= 1;
    }
  }

  private ask(id: string): Promise<KnownAccount | null> {
    const wait = Math.max(0, this.lastAt + EVERY_MS - performance.now());
    this.timer ??= setTimeout(() => void this.lookUp(), wait);
    return new Promise((resolve, reject) => void this.asking.push({ id, resolve, reject }));
  }

  private async lookUp(): Promise<void> {
    const { asking } = this;
    this.asking = [];
    this.timer = undefined;
    this.lastAt = performance.now();
    const ids = [...new Set(asking.map(({ id }) => id))];
    try {
      const rows = await this.database.once<KnownAccount>('all', { name: 'known_accounts', text: FIND, values: [ids] });
      const found = new Map(rows.map((account) => [account.id, account]));
      for (const id of ids) this.keep(id, found.get(id) ?? null);
      for (const { id, resolve } of asking) resolve(found.get(id) ?? null);
    } catch (error) {
      for (const { reject } of asking) reject(error);
    }
  }

  private keep(id: string, account: KnownAccount | null): void {
    const [into, outOf] = account === null ? [this.absent, this.there] : [this.there, this.absent];
    outOf.delete(id);
    into.delete(id);
    if (into.size >= MAX_HELD) into.delete(into.keys().next().value ?? id);
    into.set(id, { account, at: performance.now() });
  }
}
