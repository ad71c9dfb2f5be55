// Reads what claimed rows mean: which workflow to start or signal, and how.
import type { WorkerDatabase } from '../database/database.js';
import type { ClaimedCommand } from './command-queue.js';
import type { WorkflowKinds } from './workflow-kinds.js';
import { RESTART } from './workflow-commands.js';
import type { WorkflowSignal, WorkflowStart } from './workflow-kind.js';

export interface Command extends ClaimedCommand {
  start: WorkflowStart;
  signal: WorkflowSignal | null;
}

interface ReadCommands {
  /** By workflow, oldest first. */
  groups: Command[][];
  /** Their entity no longer exists; they need not be delivered. */
  gone: ClaimedCommand[];
  /** Rows whose kind failed to read them, with the error. */
  unread: { rows: ClaimedCommand[]; error: unknown }[];
}

/** One statement per kind of workflow. A failing kind does not affect the others. */
export async function readCommands(
  database: WorkerDatabase,
  kinds: WorkflowKinds,
  rows: readonly ClaimedCommand[],
): Promise<ReadCommands> {
  const read: ReadCommands = { groups: [], gone: [], unread: [] };
  const reading = groupedBy(rows, ({ workflow }) => workflow).map(async (ofKind) => {
    const kind = kinds.of(ofKind[0]?.workflow ?? '');
    const ids = [...new Set(ofKind.map(({ entity_id: id }) => id))];
    const starts = await database.withScope('all', (tx) => kind.startsOf(tx, ids));
    const commands = ofKind.flatMap((row): Command[] => {
      const start = starts.get(row.entity_id);
      if (start !== undefined)
        return [{ ...row, start, signal: row.kind === RESTART ? null : kind.signalOf(row.kind) }];
      read.gone.push(row);
      return [];
    });
    read.groups.push(...groupedBy(commands, ({ start }) => start.workflowId));
  });
  const results = await Promise.allSettled(reading);
  groupedBy(rows, ({ workflow }) => workflow).forEach((ofKind, place) => {
    const result = results[place];
    if (result?.status === 'rejected') read.unread.push({ rows: ofKind, error: result.reason });
  });
  return read;
}

function groupedBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[][] {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return [...groups.values()];
}
