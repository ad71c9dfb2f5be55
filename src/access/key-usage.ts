// Records the use of keys: `last_used_at` at most once a minute per key, in the background; and a security event at most once
// an hour per key and address.
import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { Log } from '../common/log.js';
import { ApiDatabase } from '../database/database.js';
import type { Caller } from './caller.js';
import { SecurityEvents } from './security-events.js';

const STORE_EVERY_MS = 60_000;
const LOG_EVERY_MS = 3_600_000;
const MAX_KNOWN = 10_000;
const STORE = `
update api_keys set last_used_at = $2
where id = $1 and (last_used_at is null or last_used_at < $2::timestamptz - interval '59 seconds')`;

@Injectable()
export class KeyUsage implements BeforeApplicationShutdown {
  /** By key: when its use was last stored. */
  private readonly storedAt = new Map<string, number>();
  /** By key and source: when its use was last logged. */
  private readonly loggedAt = new Map<string, number>();
  private readonly underWay = new Set<Promise<void>>();

  constructor(
    private readonly database: ApiDatabase,
    private readonly events: SecurityEvents,
    private readonly log: Log,
  ) {}

  /** Returns at once; storing goes on in the background. */
  record({ keyId, keyName, source }: Caller): void {
    const now = Date.now();
    if (isDue(this.loggedAt, `${keyId} ${source.tag}`, now, LOG_EVERY_MS)) {
      this.events.record('api_key.used', source, { key_id: keyName });
    }
    if (!isDue(this.storedAt, keyId, now, STORE_EVERY_MS)) return;
    const storing = this.store(keyId, new Date(now)).finally(() => this.underWay.delete(storing));
    this.underWay.add(storing);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.underWay);
  }

  private async store(keyId: string, at: Date): Promise<void> {
    try {
      await this.database.withScope('all', (tx) => tx.query({ name: 'key_used', text: STORE, values: [keyId, at] }));
    } catch (error) {
      // The next use tries again.
      this.storedAt.delete(keyId);
      this.log.error('failed to store the last use of a key', {}, error);
    }
  }
}

/** Whether `name` was last recorded more than `everyMs` ago; if so, it is recorded now. */
function isDue(recorded: Map<string, number>, name: string, now: number, everyMs: number): boolean {
  const last = recorded.get(name);
  if (last !== undefined && now - last < everyMs) return false;
  if (recorded.size >= MAX_KNOWN) recorded.clear();
  recorded.set(name, now);
  return true;
}
