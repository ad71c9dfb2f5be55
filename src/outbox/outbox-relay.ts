// Workflow commands → workflows. A row goes when its call has been answered, so that a crash between intake's commit and the signal loses nothing.
import { Injectable } from '@nestjs/common';
import { Log } from '../common/log.js';
import { LoopedWork } from '../common/work-loop.js';
import type { Transaction } from '../database/with-scope.js';
import { WorkerDatabase } from '../database/database.js';
import { workflowCommandSent } from '../observability/metrics.js';
import { traced } from '../observability/tracing.js';
import { tellWorkflow } from './tell-workflow.js';
import { WorkflowConnection, type Workflows, type WorkflowSignal, type WorkflowStart } from './workflow-kind.js';
import { WorkflowKinds } from './workflow-kinds.js';

const POLL_MS = 2_000;
const BATCH = 32;

interface Row {
  id: string;
  workflow: string;
  entity_id: string;
  kind: string;
  /** Where the trace of the facts goes on; null when nothing is traced. */
  traceparent: string | null;
}

interface Command extends Row {
  start: WorkflowStart;
  signal: WorkflowSignal | null;
}

// All of them, in the order of their writing: the first of a conversation starts its workflow, the later ones are signals to it.
// Those of a workflow that this version does not know wait for a worker that does.
const NEXT = `
select id, workflow, entity_id, kind, traceparent from workflow_commands
where workflow = any($1::text[]) order by id limit $2 for update skip locked`;
const DONE = 'delete from workflow_commands where id = any($1::bigint[])';

@Injectable()
export class OutboxRelay extends LoopedWork {
  constructor(
    private readonly database: WorkerDatabase,
    private readonly kinds: WorkflowKinds,
    private readonly temporal: WorkflowConnection,
    private readonly log: Log,
  ) {
    super(1, POLL_MS);
  }

  /** Hands on one batch; resolves with how many commands were answered. */
  async round(): Promise<number> {
    const { workflows } = this.temporal;
    if (workflows === null) return 0;
    return this.database.withScope('all', async (tx) => {
      const values = [this.kinds.types, BATCH];
      const rows = await tx.query<Row>({ name: 'next_workflow_commands', text: NEXT, values });
      if (rows.length === 0) return 0;
      const commands = await this.commandsOf(tx, rows);
      // What is gone needs to know nothing.
      const wanted = new Set(commands.map(({ id }) => id));
      const answered = rows.filter(({ id }) => !wanted.has(id)).map(({ id }) => id);
      const groups = groupedBy(commands, ({ start }) => start.workflowId);
      const relayed = await Promise.allSettled(groups.map((group) => this.relay(workflows, group, answered)));
      const failed = relayed.filter(({ status }) => status === 'rejected').length;
      if (answered.length > 0) await tx.query({ name: 'workflow_commands_done', text: DONE, values: [answered] });
      if (failed > 0) this.log.warn('workflow commands not delivered; trying again', { workflows: failed });
      return answered.length;
    });
  }

  /** What each row means to its workflow. One statement for each kind of workflow among them. */
  private async commandsOf(tx: Transaction, rows: Row[]): Promise<Command[]> {
    const byKind = groupedBy(rows, ({ workflow }) => workflow).map(async (ofKind) => {
      const kind = this.kinds.of(ofKind[0]?.workflow ?? '');
      const starts = await kind.startsOf(tx, [...new Set(ofKind.map(({ entity_id: id }) => id))]);
      return ofKind.flatMap((row): Command[] => {
        const start = starts.get(row.entity_id);
        return start === undefined ? [] : [{ ...row, start, signal: kind.signalOf(row.kind) }];
      });
    });
    return (await Promise.all(byKind)).flat();
  }

  /** Hands on the commands of one workflow in their order, as far as the worker is not told to stop; `answered` gets their ids. */
  private async relay(workflows: Workflows, commands: Command[], answered: string[]): Promise<void> {
    for (const command of commands) {
      if (this.isStopped) return;
      await handOn(workflows, command);
      answered.push(command.id);
    }
  }

  protected override async runRound(): Promise<boolean> {
    try {
      return (await this.round()) === BATCH;
    } catch (error) {
      this.log.error('outbox relay failed; trying again', {}, error);
      return false;
    }
  }
}

function groupedBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[][] {
  const groups = new Map<string, Item[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return [...groups.values()];
}

async function handOn(workflows: Workflows, { workflow, kind, start, signal, traceparent }: Command): Promise<void> {
  const attributes = { 'colloquy.workflow_id': start.workflowId, 'colloquy.kind': kind };
  const options = { kind: 'client', parent: traceparent, attributes } as const;
  const result = await traced('send workflow command', options, () => tellWorkflow(workflows, start, signal)).catch(
    (error: unknown) => {
      workflowCommandSent({ workflow, kind }, 'failed');
      throw error;
    },
  );
  workflowCommandSent({ workflow, kind }, result);
}
