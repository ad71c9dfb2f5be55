// Finds conversations that have an identity row and nothing else.
import type { WorkerDatabase } from '../database/database.js';

// One statement, because applying a fact creates the conversation and removes the fact from the inbox in one commit. A recent
// reservation counts for a day: an import may have sealed a recording already, and a long download outlasts its reservation.
// Of an erased one, keys are left only if it was recognised as erased before anything was stored.
// An id without an identity row is left alone: the content database may be an older backup, or another installation's.
const ABANDONED = `
select i.id from conversation_identities i
where i.id = any($1::uuid[]) and i.state <> 'erasing'
  and (i.reserved_until is null or i.reserved_until < now() - interval '1 day')
  and not exists (select from conversations c where c.id = i.id)
  and not exists (
    select from inbox f where f.provider_account_id = i.provider_account_id and f.identity_hash = i.identity_hash)`;

/** Those of `ids` that do not exist and will not: no fact in any state waits for them and no import is under way. */
export async function abandonedAmong(database: WorkerDatabase, ids: string[]): Promise<string[]> {
  const rows = await database.once<{ id: string }>('all', { name: 'abandoned', text: ABANDONED, values: [ids] });
  return rows.map(({ id }) => id);
}
