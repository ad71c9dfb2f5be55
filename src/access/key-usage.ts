// When a key was last used: told to the database at most once a minute and key, and never while a request waits for it. From
// where it is used: told as a security event, once an hour for each key and address.
import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { Log } from '../common/log.js';
import { ApiDatabase } from '../database/database.js';
import type { Caller } from './caller.js';
import { SecurityEvents } from './security-events.js';

const EVERY_MS = 60_000;
const SOURCE_EVERY_MS = 3_600_000;
const MAX_KNOWN = 10_000;
const TOUCH = `
update api_keys set last_used_at = $2
where id = $1 and (last_used_at is null or last_used_at < $2::timestamptz - interval '59 seconds')`;

@Injectable()
export class KeyUsage implements BeforeApplicationShutdown {
  private readonly toldAt = new Map<string, number>();
  /** By key and source. */
  private readonly seenAt = new Map<string, number>();
  private readonly underWay = new Set<Promise<void>>();

  constructor(
    private readonly database: ApiDatabase,
    private readonly events: SecurityEvents,
    private readonly log: Log,
  ) {}

  /** Returns at once. */
  used({ keyId, keyName, source }: Caller): void {
    const now = Date.now();
    if (isDue(this.seenAt, `${keyId} ${source.tag}`, now, SOURCE_EVERY_MS)) {
      this.events.tell('api_key.used', source, { key_id: keyName });
    }
    if (!isDue(this.toldAt, keyId, now, EVERY_MS)) return;
    const telling = this.tell(keyId, new Date(now)).finally(() => this.underWay.delete(telling));
    this.underWay.add(telling);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.underWay);
  }

  private async tell(keyId: string, at: Date): Promise<void> {
    try {
      await this.database.withScope('all', (tx) => tx.query({ name: 'key_used', text: TOUCH, values: [keyId, at] }));
    } catch (error) {
      // The next use tells it again.
      this.toldAt.delete(keyId);
      this.log.error('last use of a key not stored', {}, error);
    }
  }
}

/** Whether `name` was not told for `everyMs`; then it counts as told now. */
function isDue(told: Map<string, number>, name: string, now: number, everyMs: number): boolean {
  const last = told.get(name);
  if (last !== undefined && now - last < everyMs) return false;
  if (told.size >= MAX_KNOWN) told.clear();
  told.set(name, now);
  return true;
}
