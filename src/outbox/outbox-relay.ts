// Workflow commands → workflows. A row goes when its call has been answered, so that a crash between intake's commit and the signal loses nothing.
import { Inject, Injectable } from '@nestjs/common';
import { SIGNAL, type ConversationNews } from '../../workflows/names.js';
import { publicId } from '../common/ids.js';
import { Log } from '../common/log.js';
import { LoopedWork } from '../common/work-loop.js';
import type { Transaction } from '../database/with-scope.js';
import { WorkerDatabase } from '../database/database.js';
import { workflowCommandSent } from '../observability/metrics.js';
import { traced } from '../observability/tracing.js';
import {
  CONVERSATIONS,
  WorkflowConnection,
  type WorkflowKind,
  type Workflows,
  type WorkflowStart,
} from './workflow-kind.js';

const POLL_MS = 2_000;
const BATCH = 32;

interface Row {
  id: string;
  conversation_id: string;
  kind: ConversationNews;
  /** Where the trace of the facts goes on; null when nothing is traced. */
  traceparent: string | null;
}

interface Command extends Row {
  start: WorkflowStart;
}

// All of them, in the order of their writing: the first of a conversation starts its workflow, the later ones are signals to it.
const NEXT = `
select id, conversation_id, kind, traceparent from workflow_commands order by id limit $1 for update skip locked`;

@Injectable()
export class OutboxRelay extends LoopedWork {
  constructor(
    private readonly database: WorkerDatabase,
    @Inject(CONVERSATIONS) private readonly conversations: WorkflowKind,
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
      const rows = await tx.query<Row>({ name: 'next_commands', text: NEXT, values: [BATCH] });
      if (rows.length === 0) return 0;
      const starts = await this.conversations.startsOf(tx, [...new Set(rows.map((row) => row.conversation_id))]);
      const commands = rows.flatMap((row) => {
        const start = starts.get(row.conversation_id);
        return start === undefined ? [] : [{ ...row, start }];
      });
      // A conversation that is gone needs to know nothing.
      const answered = rows.filter((row) => !starts.has(row.conversation_id)).map(({ id }) => id);
      const groups = byConversation(commands).map((group) => this.relay(workflows, group, answered));
      const failed = (await Promise.allSettled(groups)).filter(({ status }) => status === 'rejected').length;
      await remove(tx, answered);
      if (failed > 0) this.log.warn('workflow commands not delivered; trying again', { conversations: failed });
      return answered.length;
    });
  }

  /** Hands on the commands of one conversation in their order, as far as the worker is not told to stop; `answered` gets their ids. */
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

/** Commands of one conversation go in their order; those of different ones side by side. */
function byConversation(commands: Command[]): Command[][] {
  const groups = new Map<string, Command[]>();
  for (const command of commands) {
    const { conversation_id: id } = command;
    groups.set(id, [...(groups.get(id) ?? []), command]);
  }
  return [...groups.values()];
}

async function handOn(workflows: Workflows, command: Command): Promise<void> {
  const { conversation_id: id, kind, traceparent } = command;
  const attributes = { 'colloquy.conversation_id': publicId('conversation', id), 'colloquy.kind': kind };
  const options = { kind: 'client', parent: traceparent, attributes } as const;
  const result = await traced('send workflow command', options, () => carryOut(workflows, command)).catch(
    (error: unknown) => {
      workflowCommandSent(kind, 'failed');
      throw error;
    },
  );
  workflowCommandSent(kind, result);
}

/** A first command starts (eagerly); later ones signal, starting where nothing runs. */
async function carryOut(workflows: Workflows, { start, kind }: Command): Promise<'started' | 'running' | 'signalled'> {
  if (kind === 'started') return (await workflows.start(start)) ? 'started' : 'running';
  await workflows.signal(start, { name: SIGNAL.wake, args: [kind] });
  return 'signalled';
}

async function remove(tx: Transaction, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.query({
    name: 'commands_done',
    text: 'delete from workflow_commands where id = any($1::bigint[])',
    values: [ids],
  });
}
