// When a key was last used: told to the database at most once a minute and key, and never while a request waits for it.
import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { Log } from '../common/log.js';
import { ApiDatabase } from '../database/database.js';

const EVERY_MS = 60_000;
const MAX_KNOWN = 10_000;
const TOUCH = `
update api_keys set last_used_at = $2
where id = $1 and (last_used_at is null or last_used_at < $2::timestamptz - interval '59 seconds')`;

@Injectable()
export class KeyUsage implements BeforeApplicationShutdown {
  private readonly toldAt = new Map<string, number>();
  private readonly underWay = new Set<Promise<void>>();

  constructor(
    private readonly database: ApiDatabase,
    private readonly log: Log,
  ) {}

  /** Returns at once. */
  used(keyId: string): void {
    const now = Date.now();
    const last = this.toldAt.get(keyId);
    if (last !== undefined && now - last < EVERY_MS) return;
    if (this.toldAt.size >= MAX_KNOWN) this.toldAt.clear();
    this.toldAt.set(keyId, now);
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
