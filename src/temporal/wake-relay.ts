// Wake rows → workflows. A row goes when its call has been answered, so that a crash between intake's commit and the signal loses nothing.
import { publicId } from '../common/ids.js';
import type { Log } from '../common/log.js';
import { WorkLoop } from '../common/work-loop.js';
import type { Transaction } from '../database/with-scope.js';
import type { WorkerDatabase } from '../database/database.js';
import type { Wake } from '../../workflows/messages.js';
import { workflowWoken } from '../observability/metrics.js';
import { traced } from '../observability/tracing.js';
import type { ConversationStarter, StartedConversation } from './conversation-starter.js';

const POLL_MS = 2_000;
const BATCH = 32;

interface WakeRow extends StartedConversation {
  wake_id: string;
  kind: Wake;
  /** Where the trace of the facts goes on; null when nothing is traced. */
  traceparent: string | null;
}

// All of them, in the order of their writing: the first of a conversation starts its workflow, the later ones are signals to it.
const NEXT = `
select w.id as wake_id, w.kind, w.traceparent, c.id, c.client_id, c.provider, c.channel, c.direction
from wakes w join conversations c on c.id = w.conversation_id
order by w.id limit $1 for update of w skip locked`;

interface Dependencies {
  database: WorkerDatabase;
  /** Null while Temporal is away. */
  starter: () => ConversationStarter | null;
  log: Log;
}

export class WakeRelay {
  private readonly loop = new WorkLoop(() => this.work(), POLL_MS);

  constructor(private readonly deps: Dependencies) {}

  start(): void {
    this.loop.start();
  }

  nudge(): void {
    this.loop.nudge();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** Hands on one batch; resolves with how many wakes were answered. */
  async round(): Promise<number> {
    const starter = this.deps.starter();
    if (starter === null) return 0;
    return this.deps.database.withScope('all', async (tx) => {
      const rows = await tx.query<WakeRow>({ name: 'next_wakes', text: NEXT, values: [BATCH] });
      const answered: string[] = [];
      const groups = byConversation(rows).map((group) => this.relay(starter, group, answered));
      const failed = (await Promise.allSettled(groups)).filter(({ status }) => status === 'rejected').length;
      await remove(tx, answered);
      if (failed > 0) this.deps.log.warn('wakes not delivered; trying again', { conversations: failed });
      return answered.length;
    });
  }

  /** Hands on the wakes of one conversation in their order, as far as the worker is not told to stop; `answered` gets their ids. */
  private async relay(starter: ConversationStarter, rows: WakeRow[], answered: string[]): Promise<void> {
    for (const row of rows) {
      if (this.loop.isStopped) return;
      await handOn(starter, row);
      answered.push(row.wake_id);
    }
  }

  private async work(): Promise<boolean> {
    try {
      return (await this.round()) === BATCH;
    } catch (error) {
      this.deps.log.error('wake relay failed; trying again', {}, error);
      return false;
    }
  }
}

/** Wakes of one conversation go in their order; those of different ones side by side. */
function byConversation(rows: WakeRow[]): WakeRow[][] {
  const groups = new Map<string, WakeRow[]>();
  for (const row of rows) groups.set(row.id, [...(groups.get(row.id) ?? []), row]);
  return [...groups.values()];
}

async function handOn(starter: ConversationStarter, row: WakeRow): Promise<void> {
  const attributes = { 'colloquy.conversation_id': publicId('conversation', row.id), 'colloquy.kind': row.kind };
  const options = { kind: 'client', parent: row.traceparent, attributes } as const;
  const result = await traced('wake workflow', options, () => tell(starter, row)).catch((error: unknown) => {
    workflowWoken(row.kind, 'failed');
    throw error;
  });
  workflowWoken(row.kind, result);
}

/** A first wake starts (eagerly); later ones signal, starting where nothing runs. */
async function tell(starter: ConversationStarter, row: WakeRow): Promise<'started' | 'running' | 'signalled'> {
  if (row.kind === 'started') return (await starter.start(row)) ? 'started' : 'running';
  await starter.wake(row, row.kind);
  return 'signalled';
}

const remove = (tx: Transaction, ids: string[]): Promise<unknown> =>
  tx.query({ name: 'wakes_done', text: 'delete from wakes where id = any($1::bigint[])', values: [ids] });
