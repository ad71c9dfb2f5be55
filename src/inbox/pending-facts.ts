// Reads facts from the inbox, with the locks of their conversations, and removes applied ones.
import type { Transaction } from '../database/with-scope.js';
import type { FactSource } from './inbox-fact.js';
import type { Lane } from './lanes.js';

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
  /** The day of the key; null: sealed with a key of the account's client (parked facts). */
  key_day: string | null;
  /** Empty for facts that the caller has opened already. */
  sealed: Buffer;
}

/** When a fact is due: postponed ones go behind those that arrived meanwhile. Indexed (inbox_due_idx). */
export const DUE = 'coalesce(retry_at, received_at)';

/** The conversations that a statement is about, as $1 and $2; `nth` counts them from 1. */
const REQUESTED = 'unnest($1::uuid[], $2::bytea[]) with ordinality as requested(account_id, identity_hash, nth)';

/** The values of {@link REQUESTED}. */
export const requestedValues = (candidates: Candidate[]): unknown[] => [
  candidates.map(({ provider_account_id }) => provider_account_id),
  candidates.map(({ identity_hash }) => identity_hash),
];

/** Joins `conversation_identities i` to {@link REQUESTED}. */
export const REQUESTED_IDENTITIES = `${REQUESTED} join conversation_identities i
  on i.provider_account_id = requested.account_id and i.identity_hash = requested.identity_hash`;

const IDENTITIES = `select requested.nth::int, i.id, i.client_id, i.state, i.created_at from ${REQUESTED_IDENTITIES}`;
// FOR NO KEY UPDATE does not block webhooks that insert facts. Facts of a reserved conversation wait until its import ends.
const LOCK = `${IDENTITIES} where i.reserved_until is null or i.reserved_until <= now() for no key update of i`;

/**
 * Locks conversations; the result is keyed by index in `candidates`. Leaves out reserved ones and, unless `wait`, those that
 * another transaction has locked. Use `wait` for a single conversation only, since waiting for several can deadlock.
 */
export async function lockIdentities(
  tx: Transaction,
  candidates: Candidate[],
  wait: boolean,
): Promise<Map<number, Identity>> {
  const statement = wait ? { name: 'lock', text: LOCK } : { name: 'lock_free', text: `${LOCK} skip locked` };
  const rows = await tx.query<Identity & { nth: number }>({ ...statement, values: requestedValues(candidates) });
  return new Map(rows.map((row) => [row.nth - 1, row]));
}

/** Reads a conversation's identity without a lock. */
export async function peekIdentity(tx: Transaction, candidate: Candidate): Promise<Identity | undefined> {
  const [row] = await tx.query<Identity>({ name: 'peek', text: IDENTITIES, values: requestedValues([candidate]) });
  return row;
}

/** Which facts of a conversation to read. */
export interface FactSelection {
  lanes: Lane[];
  /** Most facts per conversation; the next round reads the others. */
  limit: number;
  /** Ids of facts that the caller has opened: read even if they are not due, without their content. */
  opened: string[];
}

/** Most bytes per conversation; the next round reads the others. */
const MAX_PENDING_BYTES = 64 * 1024 * 1024;

const PENDING = `
select nth::int, id, source, kind, hash, received_at, to_char(key_day, 'YYYY-MM-DD') as key_day,
  case when opened then ''::bytea else sealed end as sealed from (
  select requested.nth, i.id, i.source, i.kind, i.hash, i.received_at, i.key_day, i.sealed, i.id = any($5::uuid[]) as opened,
    sum(octet_length(i.sealed)) over earlier as bytes, row_number() over earlier as position
  from ${REQUESTED} join inbox i on i.provider_account_id = requested.account_id and i.identity_hash = requested.identity_hash
  where i.state = 'pending' and (i.lane = any($4::text[]) and ${DUE} <= now() or i.id = any($5::uuid[]))
  window earlier as (partition by requested.nth order by i.received_at, i.id)
) as waiting where position = 1 or opened or (position <= $3 and bytes <= ${MAX_PENDING_BYTES}) order by nth, received_at, id`;

/**
 * Facts of locked conversations in order of receipt, keyed by index in `candidates`; at most `limit` and 64 MiB of each. Run
 * it after the lock's statement, so that it sees what was committed before the lock was acquired.
 */
export async function readPending(
  tx: Transaction,
  candidates: Candidate[],
  { limit, lanes, opened }: FactSelection,
): Promise<Map<number, PendingFact[]>> {
  const values = [...requestedValues(candidates), limit, lanes, opened];
  const rows = await tx.query<PendingFact & { nth: number }>({ name: 'pending', text: PENDING, values });
  const byIndex = new Map<number, PendingFact[]>();
  for (const row of rows) {
    const index = row.nth - 1;
    const facts = byIndex.get(index);
    if (facts === undefined) byIndex.set(index, [row]);
    else facts.push(row);
  }
  return byIndex;
}

/** Removes applied or suppressed facts; their receipts stay. */
export async function removeFacts(tx: Transaction, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.query({ name: 'applied', text: 'delete from inbox where id = any($1::uuid[])', values: [ids] });
}

/** Moves facts that turned out to contain recordings, which must be stored first. */
export async function moveToAudio(tx: Transaction, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.query({
    name: 'to_audio',
    text: "update inbox set lane = 'audio' where id = any($1::uuid[])",
    values: [ids],
  });
}

/** A claim expires after this time unless renewed, so that a dead worker does not keep its fact. */
const CLAIM_SECONDS = 15;
/** Milliseconds between two renewals. */
export const RENEW_MS = 5_000;

const CLAIM = `
update inbox set retry_at = now() + make_interval(secs => ${CLAIM_SECONDS}) where id = (
  select id from inbox where provider_account_id = $1 and identity_hash = $2 and state = 'pending' and lane = 'audio'
    and ${DUE} <= now() order by received_at, id limit 1 for update skip locked)
returning id, source, kind, hash, received_at, to_char(key_day, 'YYYY-MM-DD') as key_day, sealed`;

const RENEW = `update inbox set retry_at = now() + make_interval(secs => ${CLAIM_SECONDS}) where id = $1 and state = 'pending'`;

/** Claims the first fact of a conversation in the audio lane; undefined: another worker has it. */
export async function claimAudio(
  tx: Pick<Transaction, 'query'>,
  candidate: Candidate,
): Promise<PendingFact | undefined> {
  const values = [candidate.provider_account_id, candidate.identity_hash];
  return (await tx.query<PendingFact>({ name: 'claim_audio', text: CLAIM, values }))[0];
}

/** Extends a claim by {@link CLAIM_SECONDS}. */
export async function renewClaim(tx: Pick<Transaction, 'query'>, factId: string): Promise<void> {
  await tx.query({ name: 'renew_claim', text: RENEW, values: [factId] });
}
