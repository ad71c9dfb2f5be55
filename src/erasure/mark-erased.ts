// Marks conversations as erased: from then on they are neither returned nor stored.
import type { Transaction } from '../database/with-scope.js';
import { suppressionLock } from '../inbox/suppression.js';

const HASHES = 'select suppression_hash from conversation_identities where client_id = $1 and id = any($2::uuid[])';
// A fixed order, so that two erasures cannot deadlock.
const LOCK = `
with hashes as materialized (select distinct ${suppressionLock('suppression_hash')} as key from (${HASHES}) as h order by 1)
select pg_advisory_xact_lock(key) from hashes`;
const ROWS = `
select id from conversation_identities where client_id = $1 and suppression_hash in (${HASHES}) order by id for no key update`;
const ERASE = `
with erased as (
  update conversation_identities set state = 'erased', erased_at = coalesce(erased_at, now()) where id = any($1::uuid[])
)
update conversations set record_state = 'erased' where id = any($1::uuid[])`;

/**
 * Marks conversations of a client as erased, including rows of the same conversation in other accounts of the client. Waits for
 * transactions that apply facts to them and blocks new ones until `tx` ends. Resolves with the ids of all marked rows.
 */
export async function markErased(tx: Transaction, clientId: string, conversationIds: string[]): Promise<string[]> {
  const values = [clientId, conversationIds];
  // Separate statements: the rows are selected by what was committed before the locks were acquired.
  const [, rows] = await Promise.all([
    tx.query({ text: LOCK, values }),
    tx.query<{ id: string }>({ text: ROWS, values }),
  ]);
  const ids = rows.map(({ id }) => id);
  await tx.query({ text: ERASE, values: [ids] });
  return ids;
}
