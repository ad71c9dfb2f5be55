// How a workflow hears of something: it is started, or signalled and started where none runs.
import type { Workflows, WorkflowSignal, WorkflowStart } from './workflow-kind.js';

export type Told = 'started' | 'running' | 'signalled';

/** Without a signal it is started (eagerly) unless it runs: a workflow begins by reading Postgres. */
export async function tellWorkflow(
  workflows: Workflows,
  start: WorkflowStart,
  signal: WorkflowSignal | null,
): Promise<Told> {
  if (signal === null) return (await workflows.start(start)) ? 'started' : 'running';
  await workflows.signal(start, signal);
  return 'signalled';
}
