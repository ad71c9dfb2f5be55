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

const CANDIDATES = `
select provider_account_id, identity_hash from inbox
where state = 'pending' and (retry_at is null or retry_at <= now())
group by provider_account_id, identity_hash order by min(received_at) limit $1`;

/** Conversations with applicable facts, the longest waiting first. */
export const findCandidates = (tx: Transaction, limit: number): Promise<Candidate[]> =>
  tx.query<Candidate>({ name: 'candidates', text: CANDIDATES, values: [limit] });

// FOR NO KEY UPDATE: webhooks may go on inserting beside it. Reserved: somebody is fetching all of it, and its facts wait.
const LOCK = `
select id, client_id, state, created_at from conversation_identities
where provider_account_id = $1 and identity_hash = $2 and (reserved_until is null or reserved_until <= now())
for no key update`;

/** Locks the conversation; null when it is reserved, or when somebody else has it and `wait` is false. */
export async function lockIdentity(tx: Transaction, candidate: Candidate, wait: boolean): Promise<Identity | null> {
  const values = [candidate.provider_account_id, candidate.identity_hash];
  const statement = wait ? { name: 'lock', text: LOCK } : { name: 'lock_free', text: `${LOCK} skip locked` };
  const [identity] = await tx.query<Identity>({ ...statement, values });
  return identity ?? null;
}

/** Webhooks with audio may have 64 MiB each: those beyond are read by the next turn. */
const MAX_PENDING_BYTES = 64 * 1024 * 1024;

const PENDING = `
select id, source, kind, hash, received_at, to_char(key_day, 'YYYY-MM-DD') as key_day, sealed from (
  select *, sum(octet_length(sealed)) over (order by received_at, id) as bytes, row_number() over (order by received_at, id) as nth
  from inbox where provider_account_id = $1 and identity_hash = $2 and state = 'pending'
    and (retry_at is null or retry_at <= now())
  order by received_at, id limit $3
) as waiting where nth = 1 or bytes <= ${MAX_PENDING_BYTES} order by received_at, id`;

/** Facts of a locked conversation, bounded in number and bytes. A second statement, so that it sees what was committed before the lock was had. */
export const readPending = (
  tx: Transaction,
  { provider_account_id, identity_hash }: Candidate,
  limit: number,
): Promise<PendingFact[]> =>
  tx.query<PendingFact>({ name: 'pending', text: PENDING, values: [provider_account_id, identity_hash, limit] });

/** Applied (or suppressed) facts leave the inbox; their receipts stay. */
export const removeFacts = (tx: Transaction, ids: string[]): Promise<unknown> =>
  tx.query({ name: 'applied', text: 'delete from inbox where id = any($1::uuid[])', values: [ids] });

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
