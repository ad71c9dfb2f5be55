// Records when webhooks of an account arrive and how many have invalid signatures. Counted in memory and written every 2 s for
// all accounts together, so that a flood of webhooks does not cause a flood of writes.
import type { Log } from '../common/log.js';
import type { Database } from '../database/database.js';

const WRITE_EVERY_MS = 2_000;

/** Counts of one account since the last write. */
interface Counts {
  clientId: string;
  lastAt: Date;
  lastValidAt: Date | null;
  failures: number;
}

type Account = { id: string; clientId: string };

/** Sorted, so that two processes never deadlock. */
const ADD = `
with counted as (
  select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::bigint[])
    as t(id, client_id, last_at, last_valid_at, failures) order by id
), seen as (
  insert into webhook_health as h (provider_account_id, client_id, last_at, last_valid_at)
  select id, client_id, last_at, last_valid_at from counted
  on conflict on constraint webhook_health_pkey do update set last_at = greatest(h.last_at, excluded.last_at),
    last_valid_at = greatest(h.last_valid_at, excluded.last_valid_at)
), old as (
  delete from signature_failures f using counted c
  where f.provider_account_id = c.id and f.hour < now() - interval '25 hours'
)
insert into signature_failures as f (provider_account_id, client_id, hour, failures)
select id, client_id, date_trunc('hour', now()), failures from counted where failures > 0
on conflict on constraint signature_failures_pkey do update set failures = f.failures + excluded.failures`;

export class WebhookHealth {
  /** By account id. */
  private counts = new Map<string, Counts>();
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> | undefined;
  private isClosed = false;

  constructor(
    private readonly database: Database,
    private readonly log: Log,
  ) {}

  /** Counts a webhook of this account. Returns at once. */
  count(account: Account, { isValid }: { isValid: boolean }): void {
    const now = new Date();
    const { lastValidAt = null, failures = 0 } = this.counts.get(account.id) ?? {};
    this.counts.set(account.id, {
      clientId: account.clientId,
      lastAt: now,
      lastValidAt: isValid ? now : lastValidAt,
      failures: failures + (isValid ? 0 : 1),
    });
    if (!this.isClosed) this.timer ??= this.schedule();
  }

  /** Writes the rest at shutdown. */
  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    await this.writing;
    await this.write();
  }

  private schedule(): NodeJS.Timeout {
    return setTimeout(() => {
      // One write at a time: the next is scheduled after this one.
      this.writing = this.write().then(() => {
        this.timer = this.counts.size > 0 && !this.isClosed ? this.schedule() : undefined;
      });
    }, WRITE_EVERY_MS).unref();
  }

  private async write(): Promise<void> {
    const { counts } = this;
    if (counts.size === 0) return;
    this.counts = new Map();
    await this.store(counts);
  }

  private async store(counts: Map<string, Counts>): Promise<void> {
    const rows = [...counts.values()];
    const values = [
      ...[[...counts.keys()], rows.map(({ clientId }) => clientId), rows.map(({ lastAt }) => lastAt)],
      ...[rows.map(({ lastValidAt }) => lastValidAt), rows.map(({ failures }) => failures)],
    ];
    try {
      await this.database.once('all', { name: 'webhook_health', text: ADD, values });
    } catch (error) {
      // These counts are lost; the next webhooks are counted again.
      this.log.error('failed to store the health of webhooks', { accounts: counts.size }, error);
    }
  }
}
