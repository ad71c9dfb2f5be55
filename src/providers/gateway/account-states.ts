// The state of accounts that all processes share, in Postgres: the circuit, and until when the provider wants no requests. It is
// written only when it changes, and read at most once a second per process and account. Times are passed as durations, so that
// only Postgres's clock counts: the clocks of machines may differ.
import type { WorkerDatabase } from '../../database/database.js';
import { CLOSED, TRIAL_MS, type Circuit } from './circuit.js';
import type { Clock } from '../../common/clock.js';

export interface AccountState {
  /** `failures` is counted by this process only. */
  circuit: Circuit;
  /** Until when the provider wants no requests (`Retry-After`), epoch milliseconds, and the status with which it said so. */
  away: { status: number | null; until: number };
}

export interface Account {
  id: string;
  clientId: string;
}

export interface AccountStates {
  read(accountId: string): Promise<AccountState>;
  keepCircuit(account: Account, circuit: Circuit): Promise<void>;
  /** Claims the single trial that is due; true if it is ours. */
  claimTrial(accountId: string): Promise<boolean>;
  keepAway(account: Account, away: AccountState['away']): Promise<void>;
}

export const HEALTHY: AccountState = { circuit: CLOSED, away: { status: null, until: 0 } };

interface Row {
  state: Circuit['state'];
  openings: number;
  retry_in_ms: number | null;
  status: number | null;
  away_ms: number | null;
  away_status: number | null;
}

const leftOf = (column: string): string => `ceil(extract(epoch from ${column} - clock_timestamp()) * 1000)::float8`;
const timeAfter = (ms: string): string => `clock_timestamp() + make_interval(secs => ${ms}::float8 / 1000)`;

const READ = `
select state, openings, ${leftOf('retry_at')} as retry_in_ms, status, ${leftOf('away_until')} as away_ms, away_status
from provider_circuits where provider_account_id = $1`;
const KEEP_CIRCUIT = `
insert into provider_circuits as c (provider_account_id, client_id, state, openings, retry_at, status)
values ($1, $2, $3, $4, ${timeAfter('$5')}, $6)
on conflict (provider_account_id) do update
  set state = excluded.state, openings = excluded.openings, retry_at = excluded.retry_at, status = excluded.status,
    changed_at = now()`;
const CLAIM = `
update provider_circuits set retry_at = ${timeAfter(String(TRIAL_MS))}
where provider_account_id = $1 and state = 'open' and retry_at <= clock_timestamp()
returning 1 as claimed`;
const KEEP_AWAY = `
insert into provider_circuits as c (provider_account_id, client_id, away_until, away_status)
values ($1, $2, ${timeAfter('$3')}, $4)
on conflict (provider_account_id) do update
  set away_until = excluded.away_until, away_status = excluded.away_status, changed_at = now()
  where c.away_until is null or c.away_until < excluded.away_until`;

export class StoredAccountStates implements AccountStates {
  constructor(
    private readonly database: WorkerDatabase,
    private readonly clock: Clock,
  ) {}

  async read(accountId: string): Promise<AccountState> {
    const [row] = await this.database.once<Row>('all', { name: 'account_state', text: READ, values: [accountId] });
    if (row === undefined) return HEALTHY;
    const { state, openings, status } = row;
    const now = this.clock.now();
    const timeIn = (ms: number | null): number => (ms === null ? 0 : now + ms);
    return {
      circuit: { state, failures: 0, openings, retryAt: timeIn(row.retry_in_ms), status },
      away: { status: row.away_status, until: timeIn(row.away_ms) },
    };
  }

  async keepCircuit({ id, clientId }: Account, { state, openings, retryAt, status }: Circuit): Promise<void> {
    const retryInMs = state === 'open' ? retryAt - this.clock.now() : null;
    const values = [id, clientId, state, openings, retryInMs, status];
    await this.database.once('all', { name: 'keep_circuit', text: KEEP_CIRCUIT, values });
  }

  async claimTrial(accountId: string): Promise<boolean> {
    const rows = await this.database.once('all', { name: 'claim_trial', text: CLAIM, values: [accountId] });
    return rows.length > 0;
  }

  async keepAway({ id, clientId }: Account, { status, until }: AccountState['away']): Promise<void> {
    const values = [id, clientId, until - this.clock.now(), status];
    await this.database.once('all', { name: 'keep_away', text: KEEP_AWAY, values });
  }
}
