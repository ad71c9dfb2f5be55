// Everything that has work has a workflow: the reconciler and `colloquy wake` see to it, even when Temporal has lost everything.
import type { WorkerDatabase } from '../database/database.js';
import { workflowCommandSent } from '../observability/metrics.js';
import type { DueWorkflow, WorkflowKind, Workflows } from './workflow-kind.js';
import type { WorkflowKinds } from './workflow-kinds.js';

const PAGE = 500;
const CONCURRENCY = 16;

export interface Missing {
  /** What has work. */
  open: number;
  /** What of it had no workflow until now, or one that could not get on. */
  started: number;
}

/** Starts a workflow for everything that has work and no workflow; what of each kind, by its type. */
export async function startAllMissing(
  database: WorkerDatabase,
  workflows: Workflows,
  kinds: WorkflowKinds,
): Promise<Record<string, Missing>> {
  const all: Record<string, Missing> = {};
  for (const kind of kinds.all) all[kind.type] = await startMissing(database, workflows, kind);
  return all;
}

async function startMissing(database: WorkerDatabase, workflows: Workflows, kind: WorkflowKind): Promise<Missing> {
  const result = { open: 0, started: 0 };
  let after: string | null = null;
  for (;;) {
    const page: DueWorkflow[] = await database.withScope('all', (tx) => kind.due(tx, after, PAGE));
    const last = page.at(-1);
    if (last === undefined) return result;
    result.open += page.length;
    result.started += await startEach(workflows, page);
    after = last.id;
  }
}

/** Starts a workflow for those of `ids` that have work and no workflow; how many. */
export async function startMissingAmong(
  database: WorkerDatabase,
  workflows: Workflows,
  { kind, ids }: { kind: WorkflowKind; ids: readonly string[] },
): Promise<number> {
  return startEach(workflows, await database.withScope('all', (tx) => kind.dueAmong(tx, ids)));
}

async function startEach(workflows: Workflows, due: DueWorkflow[]): Promise<number> {
  const queue = [...due];
  let started = 0;
  const lane = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift())
      if ((await workflows.start(next.start)) || (next.isQuiet && (await workflows.replaceStuck(next.start)))) {
        workflowCommandSent({ workflow: next.start.type, kind: 'restarted' }, 'started');
        started += 1;
      }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
  return started;
}
