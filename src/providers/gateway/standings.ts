// Where an account stands for all processes: its circuit, and until when its provider wants us to stay away. In Postgres,
// written on change only; each process looks at most once a second and account while it asks.
import type { WorkerDatabase } from '../../database/database.js';
import { CLOSED, TRIAL_MS, type Circuit } from './circuit.js';

export interface Standing {
  /** `failures` is this process's own count. */
  circuit: Circuit;
  /** What the provider answered when it had enough, and until when it wants us to stay away, epoch milliseconds. */
  away: { status: number | null; until: number };
}

export interface Account {
  id: string;
  clientId: string;
}

export interface Standings {
  read(accountId: string): Promise<Standing>;
  keepCircuit(account: Account, circuit: Circuit): Promise<void>;
  /** Whether the one trial that is due is ours. */
  claimTrial(accountId: string, now: number): Promise<boolean>;
  keepAway(account: Account, away: Standing['away']): Promise<void>;
}

export const GOOD_STANDING: Standing = { circuit: CLOSED, away: { status: null, until: 0 } };

interface Row {
  state: Circuit['state'];
  openings: number;
  retry_at: Date | null;
  status: number | null;
  away_until: Date | null;
  away_status: number | null;
}

const READ = `
select state, openings, retry_at, status, away_until, away_status from provider_circuits where provider_account_id = $1`;
const KEEP_CIRCUIT = `
insert into provider_circuits as c (provider_account_id, client_id, state, openings, retry_at, status)
values ($1, $2, $3, $4, to_timestamp($5::float8 / 1000), $6)
on conflict (provider_account_id) do update
  set state = excluded.state, openings = excluded.openings, retry_at = excluded.retry_at, status = excluded.status,
    changed_at = now()`;
const CLAIM = `
update provider_circuits set retry_at = to_timestamp(($2::float8 + ${TRIAL_MS}) / 1000)
where provider_account_id = $1 and state = 'open' and retry_at <= to_timestamp($2::float8 / 1000)
returning 1 as claimed`;
const KEEP_AWAY = `
insert into provider_circuits as c (provider_account_id, client_id, away_until, away_status)
values ($1, $2, to_timestamp($3::float8 / 1000), $4)
on conflict (provider_account_id) do update
  set away_until = excluded.away_until, away_status = excluded.away_status, changed_at = now()
  where c.away_until is null or c.away_until < excluded.away_until`;

export class StoredStandings implements Standings {
  constructor(private readonly database: WorkerDatabase) {}

  async read(accountId: string): Promise<Standing> {
    const [row] = await this.database.once<Row>('all', { name: 'standing', text: READ, values: [accountId] });
    if (row === undefined) return GOOD_STANDING;
    const { state, openings, status } = row;
    return {
      circuit: { state, failures: 0, openings, retryAt: row.retry_at?.getTime() ?? 0, status },
      away: { status: row.away_status, until: row.away_until?.getTime() ?? 0 },
    };
  }

  async keepCircuit({ id, clientId }: Account, { state, openings, retryAt, status }: Circuit): Promise<void> {
    const values = [id, clientId, state, openings, state === 'open' ? retryAt : null, status];
    await this.database.once('all', { name: 'keep_circuit', text: KEEP_CIRCUIT, values });
  }

  async claimTrial(accountId: string, now: number): Promise<boolean> {
    const rows = await this.database.once('all', { name: 'claim_trial', text: CLAIM, values: [accountId, now] });
    return rows.length > 0;
  }

  async keepAway({ id, clientId }: Account, { status, until }: Standing['away']): Promise<void> {
    await this.database.once('all', { name: 'keep_away', text: KEEP_AWAY, values: [id, clientId, until, status] });
  }
}
