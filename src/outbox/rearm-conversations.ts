// After a change of `silence` or `ask_every`, signals the workflows of the account's live conversations, so that they reset
// their timers. Runs in batches in a worker, not in the request that changes the account.
import { CONVERSATION } from '../../workflows/conversation.names.js';
import type { Transaction } from '../database/with-scope.js';

/** Conversations per step; account-sync.ts takes a step every two seconds. */
const BATCH = 500;
/** Workers cache an account for two seconds (provider-accounts.ts): a workflow signalled earlier would see the old setting. */
export const REARM_AFTER_SECONDS = 3;

// 'late' signals a running workflow: a live one re-reads its settings, one that is settling re-checks once.
const WAKE = `
with woken as (
  insert into workflow_commands (workflow, entity_id, kind)
  select '${CONVERSATION}', id, 'late' from conversations
  where provider_account_id = $1 and record_state = 'open' and ($2::uuid is null or id > $2::uuid)
  order by id limit ${BATCH} returning entity_id)
select entity_id as id from woken order by entity_id desc`;
const GO_ON = 'update account_commands set rearmed_until = $2 where id = $1';

export interface Rearm {
  id: string;
  provider_account_id: string;
  rearmed_until: string | null;
}

/** Signals the next batch of an account; true if it was the last. */
export async function rearmStep(tx: Transaction, { id, provider_account_id: account, rearmed_until: until }: Rearm) {
  const woken = await tx.query<{ id: string }>({ name: 'rearm', text: WAKE, values: [account, until] });
  if (woken.length < BATCH) return true;
  await tx.query({ text: GO_ON, values: [id, woken[0]?.id] });
  return false;
}
