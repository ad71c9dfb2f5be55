// Commands for workflows: written with the change that a workflow must know of, handed on by the relay.
import type { Transaction } from '../database/with-scope.js';

/** What the workflow of a conversation must know. */
export interface WorkflowCommand {
  conversationId: string;
  kind: string;
  /** Where its trace goes on; null when nothing is traced. */
  traceparent: string | null;
}

const ADD = `
insert into workflow_commands (conversation_id, kind, traceparent)
select * from unnest($1::uuid[], $2::text[], $3::text[])`;

/** Adds commands in the transaction of the change. */
export async function addCommands(tx: Transaction, commands: WorkflowCommand[]): Promise<void> {
  if (commands.length === 0) return;
  const values = [
    commands.map(({ conversationId }) => conversationId),
    commands.map(({ kind }) => kind),
    commands.map(({ traceparent }) => traceparent),
  ];
  await tx.query({ name: 'add_workflow_commands', text: ADD, values });
}
