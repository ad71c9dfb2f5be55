// Conversations that the search index must update: one row each, written in the transaction of the change.
import type { Transaction } from '../database/with-scope.js';
import type { ConversationRecord } from '../reducer/record.js';

export interface SearchTodo {
  conversationId: string;
  clientId: string;
  /** Revision of the changed record. */
  revision: number;
}

// `since` remains the time of the first change that is not indexed.
const ADD = `
insert into search_todo (conversation_id, client_id, revision)
select * from unnest($1::uuid[], $2::uuid[], $3::integer[])
on conflict (conversation_id) do update set revision = greatest(search_todo.revision, excluded.revision),
  due_at = excluded.due_at, attempts = 0`;

/** Queues these conversations for indexing. The caller holds their locks and notifies `colloquy_search` after the commit. */
export async function addSearchTodos(tx: Transaction, todos: SearchTodo[]): Promise<void> {
  if (todos.length === 0) return;
  const values = [
    todos.map(({ conversationId }) => conversationId),
    todos.map(({ clientId }) => clientId),
    todos.map(({ revision }) => revision),
  ];
  await tx.query({ name: 'search_todo', text: ADD, values });
}

/** Whether a change affects the index, which is built from the header and ordered by start_time. */
export const changesSearch = (before: ConversationRecord | null, after: ConversationRecord): boolean =>
  before?.startTime !== after.startTime || JSON.stringify(before.header) !== JSON.stringify(after.header);
