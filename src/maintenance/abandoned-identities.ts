// Conversations that have an identity row and nothing else.
import type { WorkerDatabase } from '../database/database.js';

// One statement, one moment: a fact that is applied makes the conversation and leaves the inbox at once. Reserved: somebody
// is bringing it in and may have sealed its recording already; long downloads outlast the reservation. An id without an
// identity row is none of ours to judge: these may be the tables of another day, or of another installation.
const ABANDONED = `
select i.id from conversation_identities i
where i.id = any($1::uuid[]) and i.state = 'live'
  and (i.reserved_until is null or i.reserved_until < now() - interval '1 day')
  and not exists (select from conversations c where c.id = i.id)
  and not exists (
    select from inbox f where f.provider_account_id = i.provider_account_id and f.identity_hash = i.identity_hash)`;

/** Which of these do not exist, with no fact in any state, and nobody at work, that may make them. */
export async function abandonedAmong(database: WorkerDatabase, ids: string[]): Promise<string[]> {
  const rows = await database.once<{ id: string }>('all', { name: 'abandoned', text: ABANDONED, values: [ids] });
  return rows.map(({ id }) => id);
}
