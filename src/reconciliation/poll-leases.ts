// Whose turn it is to look at which account's list: claimed in Postgres, so that over any number of workers an account has
// one look at a time. A worker that dies loses its leases; what it still writes afterwards is refused.
import { Injectable } from '@nestjs/common';
import { newUuid } from '../common/ids.js';
import { WorkerDatabase } from '../database/database.js';

/** A lease that is not renewed for so long is free. */
export const LEASE_MS = 10_000;

/** How late a look may begin without moving those after it. */
const LATE = "interval '1 second'";

/** A look that was claimed. */
export interface ClaimedLook {
  accountId: string;
  clientId: string;
  lease: string;
  everySeconds: number;
  /** Looks in a row before this one at which the provider did not answer. */
  failures: number;
}

export interface LookResult {
  live: number | null;
  problem: string | null;
  /** The provider's list could not be read. */
  failed: boolean;
  /** From the time that the look was due to the next one, milliseconds. */
  nextMs: number;
}

const IS_DUE = 'p.next_at <= now() and (p.leased_until is null or p.leased_until <= now())';
const LEASED_UNTIL = `clock_timestamp() + make_interval(secs => ${LEASE_MS / 1000})`;

// Oldest first, at most $5 looks of one client, those under way ($3, $4) included. The inner condition is checked again on
// rows that another worker has just let go.
const CLAIM = `
with due as (
  select p.provider_account_id, coalesce(r.looks, 0) + row_number() over (partition by p.client_id order by p.next_at) as place
  from live_polls p left join unnest($3::uuid[], $4::integer[]) as r (client_id, looks) on r.client_id = p.client_id
  where ${IS_DUE}
), chosen as (
  select p.provider_account_id from live_polls p join due on due.provider_account_id = p.provider_account_id
  where ${IS_DUE} and due.place <= $5
  order by p.next_at limit $2 for update of p skip locked
)
update live_polls p set lease = $1, leased_at = clock_timestamp(), leased_until = ${LEASED_UNTIL}
from chosen join provider_accounts a on a.id = chosen.provider_account_id
where p.provider_account_id = chosen.provider_account_id
returning p.provider_account_id as "accountId", p.client_id as "clientId", p.lease, p.failures,
  a.poll_active_seconds as "everySeconds"`;

const HELD = 'p.provider_account_id = held.id and p.lease = held.lease';
// Not one whose polling was switched off: its look has to end.
const RENEW = `
update live_polls p set leased_until = ${LEASED_UNTIL}
from unnest($1::uuid[], $2::uuid[]) as held (id, lease) where ${HELD} and p.next_at is not null
returning p.provider_account_id as "accountId", p.lease`;
// Asked for meanwhile (a changed interval, another key): then it is due, whatever this look has found.
const IS_ASKED = 'p.next_at is null or p.next_at > p.leased_at';
const FINISH = `
update live_polls p set lease = null, leased_until = null, last_at = clock_timestamp(), live = $3, problem = $4,
  failures = case when ${IS_ASKED} then p.failures when $5 then least(p.failures + 1, 100) else 0 end,
  next_at = case when ${IS_ASKED} then p.next_at else greatest(clock_timestamp(),
    greatest(p.next_at, p.leased_at - ${LATE}) + make_interval(secs => $6::double precision / 1000)) end
where p.provider_account_id = $1 and p.lease = $2`;
const RELEASE = `
update live_polls p set lease = null, leased_until = null
from unnest($1::uuid[], $2::uuid[]) as held (id, lease) where ${HELD}`;

type Kept = Pick<ClaimedLook, 'accountId' | 'lease'>;

interface Room {
  /** Looks that may begin now. */
  most: number;
  /** Looks of one client at a time. */
  mostOfClient: number;
  /** Looks that are under way here, by client. */
  underWay: ReadonlyMap<string, number>;
}

@Injectable()
export class PollLeases {
  constructor(private readonly database: WorkerDatabase) {}

  /** Takes the looks that are due, for {@link LEASE_MS}. */
  claim({ most, mostOfClient, underWay }: Room): Promise<ClaimedLook[]> {
    const values = [newUuid(), most, [...underWay.keys()], [...underWay.values()], mostOfClient];
    return this.database.once<ClaimedLook>('all', { name: 'poll_claim', text: CLAIM, values });
  }

  /** Keeps leases for another {@link LEASE_MS}; those looks whose lease is still held. */
  async renew(looks: readonly ClaimedLook[]): Promise<Set<ClaimedLook>> {
    const values = [looks.map(({ accountId }) => accountId), looks.map(({ lease }) => lease)];
    const kept = await this.database.once<Kept>('all', { name: 'poll_renew', text: RENEW, values });
    const isKept = (look: ClaimedLook): boolean =>
      kept.some(({ accountId, lease }) => accountId === look.accountId && lease === look.lease);
    return new Set(looks.filter(isKept));
  }

  /** Writes what a look has found and when the next one is due; nothing, if somebody else holds the lease by now. */
  async finish({ accountId, lease }: ClaimedLook, { live, problem, failed, nextMs }: LookResult): Promise<void> {
    const values = [accountId, lease, live, problem, failed, nextMs];
    await this.database.once('all', { name: 'poll_finish', text: FINISH, values });
  }

  /** Gives a look back without a result: another worker may begin it at once. */
  async release({ accountId, lease }: ClaimedLook): Promise<void> {
    await this.database.once('all', { name: 'poll_release', text: RELEASE, values: [[accountId], [lease]] });
  }
}
