// Wake rows: written with the change that the workflow must know of, handed on by the relay.
import type { Transaction } from '../database/with-scope.js';
import type { Change } from '../intake/conversation-change.js';

const ADD = `
insert into wakes (conversation_id, kind, traceparent)
select * from unnest($1::uuid[], $2::text[], $3::text[])`;

/** One row for each change whose workflow must know. */
export async function addWakes(tx: Transaction, changes: Change[]): Promise<void> {
  const due = changes.filter(({ wake }) => wake !== null);
  if (due.length === 0) return;
  const values = [
    due.map(({ owner }) => owner.conversationId),
    due.map(({ wake }) => wake),
    due.map(({ traceparent }) => traceparent),
  ];
  await tx.query({ name: 'wakes', text: ADD, values });
}
