// Starts a workflow, or signals it and starts it if it is not running.
import type { Workflows, WorkflowSignal, WorkflowStart } from './workflow-kind.js';

export type CallResult = 'started' | 'running' | 'signalled';

/** Without a signal a start is enough: a workflow begins by reading Postgres. */
export async function startOrSignal(
  workflows: Workflows,
  start: WorkflowStart,
  signal: WorkflowSignal | null,
): Promise<CallResult> {
  if (signal === null) return (await workflows.start(start)) ? 'started' : 'running';
  await workflows.signal(start, signal);
  return 'signalled';
}
