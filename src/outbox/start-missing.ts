// Starts workflows for entities that have work and no workflow, for one page of one kind. The callers decide how to page and
// how fast: the reconciler (reconciler.ts) and `colloquy wake` (wake.ts).
import type { Pace } from '../common/pace.js';
import type { WorkerDatabase } from '../database/database.js';
import { workflowCommandSent } from '../observability/metrics.js';
import { refusalOf, type Refusal } from './call-failed.js';
import type { Contact } from './contact.js';
import type { DueWorkflow, WorkflowKind, Workflows } from './workflow-kind.js';
import { RESTART } from './workflow-commands.js';

export interface StartOptions {
  workflows: Workflows;
  contact: Contact;
  /** Concurrent calls. */
  concurrency: number;
  /** Rate limits of all calls, and of the starts among them. */
  pace?: { calls: Pace; starts: Pace };
  /** When it returns true, no further call is made. */
  isStopped?: () => boolean;
}

export interface Failed extends Refusal {
  /** uuid of the entity. */
  id: string;
}

export interface Started {
  started: number;
  failed: Failed[];
}

/**
 * Starts a workflow for each entity that has none, and replaces stuck runs. A failure is returned and does not stop the
 * others; if Temporal is unavailable, it is thrown.
 */
export async function startEach(due: readonly DueWorkflow[], options: StartOptions): Promise<Started> {
  const queue = [...due];
  const result: Started = { started: 0, failed: [] };
  let away: { error: unknown } | undefined;
  const lane = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      if (away !== undefined || options.isStopped?.() === true) return;
      try {
        if (await startOne(next, options)) result.started += 1;
        options.contact.accepted();
      } catch (error) {
        const refusal = refusalOf(error, { attempts: 0, isServing: options.contact.isServing });
        if (refusal === null) away = { error };
        else result.failed.push({ id: next.id, ...refusal });
        workflowCommandSent({ workflow: next.start.type, kind: 'restarted' }, refusal === null ? 'failed' : 'refused');
      }
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, lane));
  if (away !== undefined) throw away.error;
  return result;
}

async function startOne({ start, isQuiet }: DueWorkflow, { workflows, pace }: StartOptions): Promise<boolean> {
  await pace?.calls.take();
  await pace?.starts.take();
  let isStarted = false;
  try {
    isStarted = (await workflows.start(start)) || (isQuiet && (await workflows.replaceStuck(start)));
  } finally {
    if (!isStarted) pace?.starts.giveBack();
  }
  if (isStarted) workflowCommandSent({ workflow: start.type, kind: 'restarted' }, 'started');
  return isStarted;
}

// A command that already waits for the entity has the same effect.
const TRY_AGAIN = `
insert into workflow_commands (workflow, entity_id, kind, attempts, error, retry_at)
select $1, failed.id, '${RESTART}', 1, failed.code, now() + failed.retry_ms * interval '1 millisecond'
from unnest($2::uuid[], $3::text[], $4::float8[]) as failed (id, code, retry_ms)
where not exists (select from workflow_commands c where c.workflow = $1 and c.entity_id = failed.id)`;

/** Leaves failed starts to the relay, which retries each on its own. */
export async function tryAgain(database: WorkerDatabase, { type }: WorkflowKind, failed: Failed[]): Promise<void> {
  if (failed.length === 0) return;
  const values = [
    type,
    failed.map(({ id }) => id),
    failed.map(({ code }) => code),
    failed.map(({ retryInMs }) => retryInMs),
  ];
  await database.once('all', { text: TRY_AGAIN, values });
}

const WAITING = `
select distinct entity_id from workflow_commands
where workflow = $1 and entity_id = any($2::uuid[]) and parked_at is null`;

/** Leaves out entities that the relay is about to start or retries. */
export async function withoutCommands(
  database: WorkerDatabase,
  { type }: WorkflowKind,
  due: readonly DueWorkflow[],
): Promise<DueWorkflow[]> {
  const values = [type, due.map(({ id }) => id)];
  const rows = await database.once<{ entity_id: string }>('all', { text: WAITING, values });
  const waiting = new Set(rows.map(({ entity_id: id }) => id));
  return due.filter(({ id }) => !waiting.has(id));
}
