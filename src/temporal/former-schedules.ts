// Versions before this one polled by a schedule of Temporal for each account. They are removed here, with what they started;
// the workers look at the lists by themselves.
import { ScheduleNotFoundError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { errorFields, type Log } from '../common/log.js';
import { uuidOf } from '../common/ids.js';
import type { WorkerDatabase } from '../database/database.js';

/** All of it; what is left waits for the next connection. */
const DEADLINE_MS = 60_000;
const POLL_ID = /^poll\/(pa_[0-9a-z]{26})/;
const RUNNING = "WorkflowType = 'poll' and ExecutionStatus = 'Running'";
const OURS = 'select 1 from provider_accounts where id = $1';

interface Dependencies {
  database: WorkerDatabase;
  client: Client;
  log: Log;
}

/** Removes the schedules of this installation's accounts. Never rejects: a Temporal that forbids it is told in the log. */
export async function removeFormerSchedules({ database, client, log }: Dependencies): Promise<void> {
  let removed = 0;
  const isOurs = async (id: string): Promise<boolean> => {
    // Another installation may share the namespace.
    const account = POLL_ID.exec(id)?.[1];
    if (account === undefined) return false;
    const values = [uuidOf('providerAccount', account)];
    return (await database.once('all', { text: OURS, values })).length > 0;
  };
  const remove = async (): Promise<void> => {
    for await (const { scheduleId } of client.schedule.list()) {
      if (!(await isOurs(scheduleId))) continue;
      await ignoring(ScheduleNotFoundError, () => client.schedule.getHandle(scheduleId).delete());
      removed += 1;
    }
    if (removed === 0) return;
    // Their workflow is not there any more, so that a run under way could never end.
    for await (const { workflowId, runId } of client.workflow.list({ query: RUNNING })) {
      if (!(await isOurs(workflowId))) continue;
      const handle = client.workflow.getHandle(workflowId, runId);
      await ignoring(WorkflowNotFoundError, () => handle.terminate('polling is no workflow any more'));
    }
  };
  try {
    await client.withDeadline(Date.now() + DEADLINE_MS, remove);
  } catch (error) {
    log.warn('schedules of former versions could not be removed', { err: errorFields(error) });
  }
  if (removed > 0) log.info('schedules of former versions removed', { schedules: removed });
}

/** Another worker was quicker. */
async function ignoring(kind: new (...args: never[]) => Error, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof kind)) throw error;
  }
}
