// Commands for workflows, written in the transaction of the change and delivered by the relay.
import type { Transaction } from '../database/with-scope.js';

export interface WorkflowCommand {
  /** Name of the workflow function. */
  workflow: string;
  /** uuid of the workflow's entity. */
  entityId: string;
  /** What happened: one of the workflow's own values, never content. */
  kind: string;
  /** W3C traceparent; null: not traced. */
  traceparent: string | null;
}

/** Understood by every kind of workflow: start unless running. */
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
