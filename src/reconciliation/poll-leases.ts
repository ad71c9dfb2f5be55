// Leases on polls, in Postgres: over any number of workers an account is polled by one at a time. A worker that dies loses its
// leases, and what it still writes afterwards is ignored.
import { Injectable } from '@nestjs/common';
import { newUuid } from '../common/ids.js';
import { WorkerDatabase } from '../database/database.js';

/** A lease that has not been renewed for this long has expired. */
export const LEASE_MS = 10_000;

/** How late a poll may begin without delaying the following ones. */
const LATE = "interval '1 second'";

/** A due poll that this worker has claimed. */
export interface ClaimedPoll {
  accountId: string;
  clientId: string;
  lease: string;
  everySeconds: number;
  /** Consecutive failed polls before this one. */
  failures: number;
}

export interface PollResult {
  live: number | null;
  problem: string | null;
  /** The provider's list could not be read. */
  failed: boolean;
  /** From the time this poll was due to the next one, milliseconds. */
  nextMs: number;
}

const IS_DUE = 'p.next_at <= now() and (p.leased_until is null or p.leased_until <= now())';
const LEASED_UNTIL = `clock_timestamp() + make_interval(secs => ${LEASE_MS / 1000})`;

// Oldest first, at most $5 polls of one client including running ones ($3, $4). The inner condition is evaluated again for rows
// that another worker has just released.
const CLAIM = `
with due as (
  select p.provider_account_id, coalesce(r.polls, 0) + row_number() over (partition by p.client_id order by p.next_at) as place
  from live_polls p left join unnest($3::uuid[], $4::integer[]) as r (client_id, polls) on r.client_id = p.client_id
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
// Not if polling was switched off: then the running poll must end.
const RENEW = `
update live_polls p set leased_until = ${LEASED_UNTIL}
from unnest($1::uuid[], $2::uuid[]) as held (id, lease) where ${HELD} and p.next_at is not null
returning p.provider_account_id as "accountId", p.lease`;
// Requested meanwhile (changed interval, new API key): then the account is due, whatever this poll has found.
const IS_REQUESTED = 'p.next_at is null or p.next_at > p.leased_at';
const FINISH = `
update live_polls p set lease = null, leased_until = null, last_at = clock_timestamp(), live = $3, problem = $4,
  failures = case when ${IS_REQUESTED} then p.failures when $5 then least(p.failures + 1, 100) else 0 end,
  next_at = case when ${IS_REQUESTED} then p.next_at else greatest(clock_timestamp(),
    greatest(p.next_at, p.leased_at - ${LATE}) + make_interval(secs => $6::double precision / 1000)) end
where p.provider_account_id = $1 and p.lease = $2`;
const RELEASE = `
update live_polls p set lease = null, leased_until = null
from unnest($1::uuid[], $2::uuid[]) as held (id, lease) where ${HELD}`;

type KeptLease = Pick<ClaimedPoll, 'accountId' | 'lease'>;

interface ClaimLimits {
  /** Polls that may begin now. */
  most: number;
  /** Concurrent polls of one client. */
  mostOfClient: number;
  /** Polls running in this worker, by client. */
  running: ReadonlyMap<string, number>;
}

@Injectable()
export class PollLeases {
  constructor(private readonly database: WorkerDatabase) {}

  /** Claims due polls for {@link LEASE_MS}. */
  claim({ most, mostOfClient, running }: ClaimLimits): Promise<ClaimedPoll[]> {
    const values = [newUuid(), most, [...running.keys()], [...running.values()], mostOfClient];
    return this.database.once<ClaimedPoll>('all', { name: 'poll_claim', text: CLAIM, values });
  }

  /** Renews leases for another {@link LEASE_MS}. Resolves with the polls whose lease is still ours. */
  async renew(polls: readonly ClaimedPoll[]): Promise<Set<ClaimedPoll>> {
    const values = [polls.map(({ accountId }) => accountId), polls.map(({ lease }) => lease)];
    const kept = await this.database.once<KeptLease>('all', { name: 'poll_renew', text: RENEW, values });
    const isKept = (poll: ClaimedPoll): boolean =>
      kept.some(({ accountId, lease }) => accountId === poll.accountId && lease === poll.lease);
    return new Set(polls.filter(isKept));
  }

  /** Writes the result of a poll and when the next one is due; does nothing if somebody else holds the lease by now. */
  async finish({ accountId, lease }: ClaimedPoll, { live, problem, failed, nextMs }: PollResult): Promise<void> {
    const values = [accountId, lease, live, problem, failed, nextMs];
    await this.database.once('all', { name: 'poll_finish', text: FINISH, values });
  }

  /** Releases a poll without a result: another worker may begin it at once. */
  async release({ accountId, lease }: ClaimedPoll): Promise<void> {
    await this.database.once('all', { name: 'poll_release', text: RELEASE, values: [[accountId], [lease]] });
  }
}
