// Facts that could not be applied. If the fact itself is the cause, the attempt is counted and the fifth parks it. For any
// other cause the fact is postponed, longer each time, without limit.
import type { Transaction } from '../database/with-scope.js';
import type { Lane } from './lanes.js';
import { DUE, type Candidate } from './pending-facts.js';

export const MAX_ATTEMPTS = 5;

// Seconds until the next attempt: 1, 2, 4, 8.
const FAILED = `
update inbox set attempts = attempts + 1,
  retry_at = now() + make_interval(secs => power(2, attempts)),
  state = case when attempts + 1 >= ${MAX_ATTEMPTS} then 'parked' else state end,
  parked_at = case when attempts + 1 >= ${MAX_ATTEMPTS} then now() end,
  parked_reason = case when attempts + 1 >= ${MAX_ATTEMPTS} then $2 end
where id = $1 and state = 'pending' returning state`;

/** Counts a failed attempt; returns true if this parked the fact. Call it in a new transaction. */
export async function countFailure(tx: Transaction, factId: string, reason: string): Promise<boolean> {
  const [row] = await tx.query<{ state: string }>({ name: 'failed', text: FAILED, values: [factId, reason] });
  return row?.state === 'parked';
}

/** The longest pause, seconds. */
const LONGEST_SECONDS = 300;

/** Pauses of 1, 2, 4 … 300 s, ± 25 %, so that facts that failed together are not retried together. */
const POSTPONE = `
update inbox set postponements = postponements + 1,
  retry_at = now() + make_interval(secs => least(${LONGEST_SECONDS}, power(2, least(postponements, 20))) * (0.75 + random() / 2))`;

/** Postpones a fact without counting a failed attempt. */
export async function postponeFact(tx: Pick<Transaction, 'query'>, factId: string): Promise<void> {
  await tx.query({ name: 'postpone', text: `${POSTPONE} where id = $1 and state = 'pending'`, values: [factId] });
}

/** Postpones all due facts of a conversation. */
export async function postponeConversation(
  tx: Pick<Transaction, 'query'>,
  { provider_account_id: account, identity_hash: hash }: Candidate,
  lanes: Lane[],
): Promise<void> {
  const text = `${POSTPONE} where provider_account_id = $1 and identity_hash = $2 and state = 'pending'
    and lane = any($3::text[]) and ${DUE} <= now()`;
  await tx.query({ name: 'postpone_all', text, values: [account, hash, lanes] });
}

const FIRST = `
select id from inbox where provider_account_id = $1 and identity_hash = $2 and state = 'pending'
  and lane = any($3::text[]) and ${DUE} <= now() order by received_at, id limit 1`;

/** The id of the next fact to apply; undefined: another worker has applied it. */
export async function firstDue(tx: Transaction, candidate: Candidate, lanes: Lane[]): Promise<string | undefined> {
  const values = [candidate.provider_account_id, candidate.identity_hash, lanes];
  return (await tx.query<{ id: string }>({ name: 'first_due', text: FIRST, values }))[0]?.id;
}
