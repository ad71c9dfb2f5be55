// The reading side of the inbox: the facts that wait for a conversation, and what becomes of them.
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
  /** Null: re-sealed under the account's client (parked facts). */
  key_day: string | null;
  /** Empty of those that the reader has opened already. */
  sealed: Buffer;
}

/** When a fact may be applied: postponed ones do not stand before what came meanwhile. Indexed (inbox_due_idx). */
export const DUE = 'coalesce(retry_at, received_at)';

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

const IDENTITIES = `select asked.nth::int, i.id, i.client_id, i.state, i.created_at from ${IDENTITIES_ASKED}`;
// FOR NO KEY UPDATE: webhooks may go on inserting beside it. Reserved: somebody is fetching all of it, and its facts wait.
const LOCK = `${IDENTITIES} where i.reserved_until is null or i.reserved_until <= now() for no key update of i`;

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

/** A conversation as it is now, without a lock: it may change at once. */
export async function peekIdentity(tx: Transaction, candidate: Candidate): Promise<Identity | undefined> {
  const [row] = await tx.query<Identity>({ name: 'peek', text: IDENTITIES, values: askedFor([candidate]) });
  return row;
}

/** Which facts of a conversation are read. */
export interface Wanted {
  lanes: Lane[];
  /** At most so many at once; the others are read by the next turn. */
  limit: number;
  /** These as well, whenever they are due; whoever names them has opened them. */
  opened: string[];
}

/** Of a conversation at once: what lies beyond is read by the next turn. */
const MAX_PENDING_BYTES = 64 * 1024 * 1024;

const PENDING = `
select nth::int, id, source, kind, hash, received_at, to_char(key_day, 'YYYY-MM-DD') as key_day,
  case when opened then ''::bytea else sealed end as sealed from (
  select asked.nth, i.id, i.source, i.kind, i.hash, i.received_at, i.key_day, i.sealed, i.id = any($5::uuid[]) as opened,
    sum(octet_length(i.sealed)) over earlier as bytes, row_number() over earlier as turn
  from ${ASKED} join inbox i on i.provider_account_id = asked.account_id and i.identity_hash = asked.identity_hash
  where i.state = 'pending' and (i.lane = any($4::text[]) and ${DUE} <= now() or i.id = any($5::uuid[]))
  window earlier as (partition by asked.nth order by i.received_at, i.id)
) as waiting where turn = 1 or opened or (turn <= $3 and bytes <= ${MAX_PENDING_BYTES}) order by nth, received_at, id`;

/**
 * Facts of locked conversations by place in `candidates`, of each at most `limit` and 64 MiB, in order of receipt. A
 * statement after the lock's, so that it sees what was committed before the lock was had.
 */
export async function readPending(
  tx: Transaction,
  candidates: Candidate[],
  { limit, lanes, opened }: Wanted,
): Promise<Map<number, PendingFact[]>> {
  const values = [...askedFor(candidates), limit, lanes, opened];
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

/** Facts that turned out to hold recordings: these are stored before anything is applied. */
export async function moveToAudio(tx: Transaction, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.query({
    name: 'to_audio',
    text: "update inbox set lane = 'audio' where id = any($1::uuid[])",
    values: [ids],
  });
}

/** Seconds that a claim holds unless it is renewed: a worker that died keeps its fact no longer. */
const CLAIM_SECONDS = 15;
/** Milliseconds between two renewals. */
export const RENEW_MS = 5_000;

const CLAIM = `
update inbox set retry_at = now() + make_interval(secs => ${CLAIM_SECONDS}) where id = (
  select id from inbox where provider_account_id = $1 and identity_hash = $2 and state = 'pending' and lane = 'audio'
    and ${DUE} <= now() order by received_at, id limit 1 for update skip locked)
returning id, source, kind, hash, received_at, to_char(key_day, 'YYYY-MM-DD') as key_day, sealed`;

const RENEW = `update inbox set retry_at = now() + make_interval(secs => ${CLAIM_SECONDS}) where id = $1 and state = 'pending'`;

/** Takes the first fact of the audio lane of a conversation for itself; undefined: somebody else has it. */
export async function claimAudio(
  tx: Pick<Transaction, 'query'>,
  candidate: Candidate,
): Promise<PendingFact | undefined> {
  const values = [candidate.provider_account_id, candidate.identity_hash];
  return (await tx.query<PendingFact>({ name: 'claim_audio', text: CLAIM, values }))[0];
}

/** Keeps a claimed fact for another {@link CLAIM_SECONDS}. */
export async function renewClaim(tx: Pick<Transaction, 'query'>, factId: string): Promise<void> {
  await tx.query({ name: 'renew_claim', text: RENEW, values: [factId] });
}
