// The reading side of the inbox: which conversations have facts waiting, and those facts.
import type { Transaction } from '../database/with-scope.js';
import type { FactSource } from './inbox.js';

export interface Candidate {
  provider_account_id: string;
  identity_hash: Buffer;
}

export interface Identity {
  id: string;
  client_id: string;
  state: 'live' | 'erasing' | 'erased';
  created_at: Date;
}

export interface PendingFact {
  id: string;
  source: FactSource;
  kind: string;
  hash: Buffer;
  received_at: Date;
  /** Null: re-sealed under the account's client (parked facts). */
  key_day: string | null;
  sealed: Buffer;
}

export interface WaitingCandidate extends Candidate {
  /** Of its waiting facts together, sealed; of those that were looked at. */
  bytes: number;
}

/** Of so many facts the conversations are looked for: after an outage hundreds of thousands may wait, and nobody reads all of them to find the first. */
const OLDEST = 1024;

const CANDIDATES = `
select provider_account_id, identity_hash, least(sum(bytes), 2147483647)::int as bytes from (
  select provider_account_id, identity_hash, received_at, octet_length(sealed) as bytes from inbox
  where state = 'pending' and (retry_at is null or retry_at <= now()) order by received_at limit $2
) as oldest group by provider_account_id, identity_hash order by min(received_at) limit $1`;

/** Conversations with applicable facts, the longest waiting first; among the oldest facts, or among all of them. */
export function findCandidates(
  tx: Pick<Transaction, 'query'>,
  { limit, among }: { limit: number; among: 'oldest' | 'all' },
): Promise<WaitingCandidate[]> {
  const values = [limit, among === 'oldest' ? OLDEST : null];
  return tx.query<WaitingCandidate>({ name: 'candidates', text: CANDIDATES, values });
}

/** Parameters $1 and $2 of every statement over several conversations. */
const ASKED = 'unnest($1::uuid[], $2::bytea[]) with ordinality as asked(account_id, identity_hash, nth)';

/** `select` from the conversations asked for: `asked.nth` counts them from 1. */
export const askedFor = (candidates: Candidate[]): unknown[] => [
  candidates.map(({ provider_account_id }) => provider_account_id),
  candidates.map(({ identity_hash }) => identity_hash),
];

/** Joins `conversation_identities i` to {@link ASKED}. */
export const IDENTITIES_ASKED = `${ASKED} join conversation_identities i
  on i.provider_account_id = asked.account_id and i.identity_hash = asked.identity_hash`;

// FOR NO KEY UPDATE: webhooks may go on inserting beside it. Reserved: somebody is fetching all of it, and its facts wait.
const LOCK = `
select asked.nth::int, i.id, i.client_id, i.state, i.created_at from ${IDENTITIES_ASKED}
where i.reserved_until is null or i.reserved_until <= now()
for no key update of i`;

/**
 * Locks conversations; by place in `candidates`. Left out are those that are reserved and, unless `wait`, those that
 * somebody else has. Wait for one at a time only: two that wait for several might wait for each other.
 */
export async function lockIdentities(
  tx: Transaction,
  candidates: Candidate[],
  wait: boolean,
): Promise<Map<number, Identity>> {
  const statement = wait ? { name: 'lock', text: LOCK } : { name: 'lock_free', text: `${LOCK} skip locked` };
  const rows = await tx.query<Identity & { nth: number }>({ ...statement, values: askedFor(candidates) });
  return new Map(rows.map((row) => [row.nth - 1, row]));
}

/** Webhooks with audio may have 64 MiB each: those beyond are read by the next turn. */
const MAX_PENDING_BYTES = 64 * 1024 * 1024;

const PENDING = `
select nth::int, id, source, kind, hash, received_at, to_char(key_day, 'YYYY-MM-DD') as key_day, sealed from (
  select asked.nth, i.id, i.source, i.kind, i.hash, i.received_at, i.key_day, i.sealed,
    sum(octet_length(i.sealed)) over earlier as bytes, row_number() over earlier as turn
  from ${ASKED} join inbox i on i.provider_account_id = asked.account_id and i.identity_hash = asked.identity_hash
  where i.state = 'pending' and (i.retry_at is null or i.retry_at <= now())
  window earlier as (partition by asked.nth order by i.received_at, i.id)
) as waiting where turn = 1 or (turn <= $3 and bytes <= ${MAX_PENDING_BYTES}) order by nth, received_at, id`;

/**
 * Facts of locked conversations by place in `candidates`, of each at most `limit` and 64 MiB, in order of receipt. A
 * statement after the lock's, so that it sees what was committed before the lock was had.
 */
export async function readPending(
  tx: Transaction,
  candidates: Candidate[],
  limit: number,
): Promise<Map<number, PendingFact[]>> {
  const values = [...askedFor(candidates), limit];
  const rows = await tx.query<PendingFact & { nth: number }>({ name: 'pending', text: PENDING, values });
  const byPlace = new Map<number, PendingFact[]>();
  for (const row of rows) {
    const place = row.nth - 1;
    const facts = byPlace.get(place);
    if (facts === undefined) byPlace.set(place, [row]);
    else facts.push(row);
  }
  return byPlace;
}

/** Applied (or suppressed) facts leave the inbox; their receipts stay. */
export async function removeFacts(tx: Transaction, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.query({ name: 'applied', text: 'delete from inbox where id = any($1::uuid[])', values: [ids] });
}

/** Seconds until a fact is tried again that could not be applied for reasons of ours. */
const POSTPONED_SECONDS = 5;

/** Lets a fact wait a while, without counting it as a failure. */
export async function postpone(tx: Transaction, factId: string): Promise<'postponed'> {
  const text = `update inbox set retry_at = now() + make_interval(secs => ${POSTPONED_SECONDS}) where id = $1`;
  await tx.query({ name: 'postpone', text, values: [factId] });
  return 'postponed';
}

export const MAX_ATTEMPTS = 5;

// Seconds until the next attempt: 1, 2, 4, 8.
const FAILED = `
update inbox set attempts = attempts + 1,
  retry_at = now() + make_interval(secs => power(2, attempts)),
  state = case when attempts + 1 >= ${MAX_ATTEMPTS} then 'parked' else state end,
  parked_at = case when attempts + 1 >= ${MAX_ATTEMPTS} then now() end,
  parked_reason = case when attempts + 1 >= ${MAX_ATTEMPTS} then $2 end
where id = $1 and state = 'pending' returning state`;

/** Counts a failed attempt, in a transaction of its own; true when the fact is parked by it. */
export async function countFailure(tx: Transaction, factId: string, reason: string): Promise<boolean> {
  const [row] = await tx.query<{ state: string }>({ name: 'failed', text: FAILED, values: [factId, reason] });
  return row?.state === 'parked';
}
