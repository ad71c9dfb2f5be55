// An erased conversation is never stored again. A deleted account that is registered again, or a workspace that is registered
// twice, has its own identity rows, which share the suppression hash with the earlier ones. The first application of a
// conversation takes the lock of its hash and then looks for an erased row with that hash; an erasure takes the same lock and
// then selects its rows (erasure/mark-erased.ts). So either the erasure covers the conversation, or the application finds it erased.
import type { Transaction } from '../database/with-scope.js';
import { requestedValues, REQUESTED_IDENTITIES, type Candidate } from './pending-facts.js';

/** The number of the advisory lock of a suppression hash, as SQL. */
export const suppressionLock = (hash: string): string =>
  `('x' || encode(substr(${hash}, 1, 8), 'hex'))::bit(64)::bigint`;

/** Whether a row of the client `client` with that hash is erased or being erased, as SQL. */
export const isErasedAnywhere = (client: string, hash: string): string => `exists (
  select from conversation_identities e where e.client_id = ${client} and e.suppression_hash = ${hash} and e.state <> 'live')`;

const LOCK = (lock: string): string => `
select requested.nth::int, case when i.state <> 'live' or exists (select from conversations c where c.id = i.id) then true
  else ${lock} end as free from ${REQUESTED_IDENTITIES}`;
const KEY = suppressionLock('i.suppression_hash');
const TRY = { name: 'suppression_try', text: LOCK(`pg_try_advisory_xact_lock(${KEY})`) };
const WAIT = { name: 'suppression_lock', text: LOCK(`pg_advisory_xact_lock(${KEY}) is not null`) };

/**
 * Takes the suppression locks of those conversations that have no record yet. Resolves with the indexes in `candidates` of
 * those that may be applied; without `wait`, the others are locked by another transaction. Run it before the identity rows
 * are locked, which is the order of an erasure, and look for erased rows in a later statement.
 */
export async function lockFirstApplications(
  tx: Transaction,
  candidates: Candidate[],
  wait: boolean,
): Promise<Set<number>> {
  const values = requestedValues(candidates);
  const rows = await tx.query<{ nth: number; free: boolean }>({ ...(wait ? WAIT : TRY), values });
  return new Set(rows.flatMap(({ nth, free }) => (free ? [nth - 1] : [])));
}

const SUPPRESS = `
update conversation_identities set state = 'erased', erased_at = now() where id = any($1::uuid[]) and state = 'live'`;

/** Makes identity rows of a conversation that was erased through another account erased as well. */
export async function suppress(tx: Transaction, conversationIds: string[]): Promise<void> {
  if (conversationIds.length === 0) return;
  await tx.query({ name: 'suppress', text: SUPPRESS, values: [conversationIds] });
}
