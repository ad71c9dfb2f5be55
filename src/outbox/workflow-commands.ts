// Commands for workflows: written with the change that a workflow must know of, handed on by the relay.
import type { Transaction } from '../database/with-scope.js';

/** What a workflow must know. */
export interface WorkflowCommand {
  /** Name of the workflow function. */
  workflow: string;
  /** uuid of what the workflow works for. */
  entityId: string;
  /** What happened: an enumeration of that workflow, no content. */
  kind: string;
  /** Where its trace goes on; null when nothing is traced. */
  traceparent: string | null;
}

/** Command of every kind of workflow: it is started unless it runs. */
export const RESTART = 'restart';

const ADD = `
insert into workflow_commands (workflow, entity_id, kind, traceparent)
select * from unnest($1::text[], $2::uuid[], $3::text[], $4::text[])`;

/** Adds commands in the transaction of the change. */
export async function addCommands(tx: Transaction, commands: WorkflowCommand[]): Promise<void> {
  if (commands.length === 0) return;
  const values = [
    commands.map(({ workflow }) => workflow),
    commands.map(({ entityId }) => entityId),
    commands.map(({ kind }) => kind),
    commands.map(({ traceparent }) => traceparent),
  ];
  await tx.query({ name: 'add_workflow_commands', text: ADD, values });
}
