// When an account's webhooks came, and how many were badly signed: counted in memory, told to the database at most once in a
// few seconds for all accounts together. A flood of webhooks is no flood of writes.
import type { Log } from '../common/log.js';
import type { Database } from '../database/database.js';

const EVERY_MS = 2_000;

/** Of one account since the last write. */
interface Counted {
  clientId: string;
  lastAt: Date;
  lastValidAt: Date | null;
  failures: number;
}

type Account = { id: string; clientId: string };

/** Sorted, so that two processes never wait for each other in a circle. */
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
  /** At most as many as there are accounts. */
  private counted = new Map<string, Counted>();
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> | undefined;
  private isClosed = false;

  constructor(
    private readonly database: Database,
    private readonly log: Log,
  ) {}

  /** A webhook of this account came, rightly signed or not. Returns at once. */
  arrived(account: Account, { isValid }: { isValid: boolean }): void {
    const now = new Date();
    const { lastValidAt = null, failures = 0 } = this.counted.get(account.id) ?? {};
    this.counted.set(account.id, {
      clientId: account.clientId,
      lastAt: now,
      lastValidAt: isValid ? now : lastValidAt,
      failures: failures + (isValid ? 0 : 1),
    });
    if (!this.isClosed) this.timer ??= this.armed();
  }

  /** Writes what is left, for the last time. */
  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    await this.writing;
    await this.write();
  }

  private armed(): NodeJS.Timeout {
    return setTimeout(() => {
      // One at a time: the next is not armed before this one is over.
      this.writing = this.write().then(() => {
        this.timer = this.counted.size > 0 && !this.isClosed ? this.armed() : undefined;
      });
    }, EVERY_MS).unref();
  }

  private async write(): Promise<void> {
    const { counted } = this;
    if (counted.size === 0) return;
    this.counted = new Map();
    await this.store(counted);
  }

  private async store(counted: Map<string, Counted>): Promise<void> {
    const rows = [...counted.values()];
    const values = [
      ...[[...counted.keys()], rows.map(({ clientId }) => clientId), rows.map(({ lastAt }) => lastAt)],
      ...[rows.map(({ lastValidAt }) => lastValidAt), rows.map(({ failures }) => failures)],
    ];
    try {
      await this.database.once('all', { name: 'webhook_health', text: ADD, values });
    } catch (error) {
      // The next webhook tells it again; what was counted meanwhile is lost.
      this.log.error('health of webhooks not stored', { accounts: counted.size }, error);
    }
  }
}
