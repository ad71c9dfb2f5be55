// What the search index must catch up with: written in the transaction of the change, one row per conversation.
import type { Transaction } from '../database/with-scope.js';
import type { ConversationRecord } from '../reducer/record.js';

export interface SearchTodo {
  conversationId: string;
  clientId: string;
  /** Of the record that the change made. */
  revision: number;
}

// `since` stays that of the first change that the index lacks.
const ADD = `
insert into search_todo (conversation_id, client_id, revision)
select * from unnest($1::uuid[], $2::uuid[], $3::integer[])
on conflict (conversation_id) do update set revision = greatest(search_todo.revision, excluded.revision),
  due_at = excluded.due_at, attempts = 0`;

/** The index must look at these conversations again. Whoever calls it holds their locks; `colloquy_search` is notified after the commit. */
export async function addSearchTodos(tx: Transaction, todos: SearchTodo[]): Promise<void> {
  if (todos.length === 0) return;
  const values = [
    todos.map(({ conversationId }) => conversationId),
    todos.map(({ clientId }) => clientId),
    todos.map(({ revision }) => revision),
  ];
  await tx.query({ name: 'search_todo', text: ADD, values });
}

/** Whether a change matters to the index: it is made from the header, and ordered by start_time. */
export const changesSearch = (before: ConversationRecord | null, after: ConversationRecord): boolean =>
  before?.startTime !== after.startTime || JSON.stringify(before.header) !== JSON.stringify(after.header);
