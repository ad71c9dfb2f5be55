// A run that cannot replay its history after a deploy fails (temporal-worker.ts). Its conversation gets a new one, which reads
// Postgres and goes on.
import type { Client } from '@temporalio/client';
import { uuidOf } from '../common/ids.js';
import { errorFields, type Log } from '../common/log.js';
import { WorkLoop } from '../common/work-loop.js';
import type { WorkerDatabase } from '../database/database.js';
import type { ConversationStarter } from './conversation-starter.js';
import { startOpen } from './wake-all.js';

const ROUND_MS = 15_000;
const DEADLINE_MS = 5_000;
/** Temporal lists with some delay. What failed earlier, while no worker was there, is found by the walk at its start. */
const LOOK_BACK_MS = 300_000;
/** The rest comes with the next round. */
const MOST = 500;
const CONVERSATION = /^conversation\/(conv_[0-9a-z]{26})$/;

interface Dependencies {
  database: WorkerDatabase;
  /** Null while Temporal is away. */
  temporal: () => { client: Client; starter: ConversationStarter } | null;
  log: Log;
}

export class FailedRuns {
  private readonly loop = new WorkLoop(() => this.turn(), ROUND_MS);

  constructor(private readonly deps: Dependencies) {}

  start(): void {
    this.loop.start();
  }

  nudge(): void {
    // Not by news of conversations: it has its own pace.
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  private async turn(): Promise<boolean> {
    const { database, temporal, log } = this.deps;
    const connected = temporal();
    if (connected === null) return false;
    try {
      const { client } = connected;
      const since = new Date(Date.now() - LOOK_BACK_MS);
      const failed = await client.withDeadline(Date.now() + DEADLINE_MS, () => failedSince(client, since));
      if (failed.length === 0) return false;
      const started = await startOpen(database, connected.starter, failed);
      if (started > 0) log.warn('runs of conversations had failed; they have new ones', { conversations: started });
    } catch (error) {
      // Also where Temporal forbids to list: the walk over everything open finds them.
      log.debug('looking for failed runs failed', { err: errorFields(error) });
    }
    return false;
  }
}

/** uuids of the conversations. */
async function failedSince(client: Client, since: Date): Promise<string[]> {
  const query = `WorkflowType = 'conversation' and ExecutionStatus = 'Failed' and CloseTime > '${since.toISOString()}'`;
  const ids = new Set<string>();
  for await (const { workflowId } of client.workflow.list({ query })) {
    const id = CONVERSATION.exec(workflowId)?.[1];
    if (id !== undefined) ids.add(uuidOf('conversation', id));
    if (ids.size >= MOST) break;
  }
  return [...ids];
}
