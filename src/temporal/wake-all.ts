// Every open conversation has a workflow: the worker's timer and `colloquy wake` see to it, even when Temporal has lost everything.
import type { WorkerDatabase } from '../database/database.js';
import { workflowWoken } from '../observability/metrics.js';
import type { ConversationStarter, StartedConversation } from './conversation-starter.js';

const PAGE = 500;
const CONCURRENCY = 16;

const IS_OPEN = "(record_state in ('open', 'settling') or unfetched)";
// Quiet for an hour: its run may be stuck.
const SELECT = `
select id, client_id, provider, channel, direction, last_fact_at < now() - interval '1 hour' as is_quiet
from conversations where ${IS_OPEN}`;
const OPEN = `${SELECT} and id > $1 order by id limit $2`;
const THESE = `${SELECT} and id = any($1::uuid[])`;

interface OpenConversation extends StartedConversation {
  is_quiet: boolean;
}

export interface WokenConversations {
  /** Conversations that are not settled, or wait for a further recording. */
  open: number;
  /** Those that had no workflow until now, or one that could not get on. */
  started: number;
}

/** Starts a workflow for every conversation that has work and no workflow. */
export async function wakeAll(database: WorkerDatabase, starter: ConversationStarter): Promise<WokenConversations> {
  const result = { open: 0, started: 0 };
  let after = '00000000-0000-0000-0000-000000000000';
  for (;;) {
    const page = await database.withScope('all', (tx) =>
      tx.query<OpenConversation>({ name: 'open', text: OPEN, values: [after, PAGE] }),
    );
    const last = page.at(-1);
    if (last === undefined) return result;
    result.open += page.length;
    result.started += await startEach(starter, page);
    after = last.id;
  }
}

/** Starts a workflow for those of them that have work and no workflow; how many. */
export async function startOpen(
  database: WorkerDatabase,
  starter: ConversationStarter,
  conversationIds: readonly string[],
): Promise<number> {
  const open = await database.once<OpenConversation>('all', { text: THESE, values: [conversationIds] });
  return startEach(starter, open);
}

async function startEach(starter: ConversationStarter, conversations: OpenConversation[]): Promise<number> {
  const queue = [...conversations];
  let started = 0;
  const lane = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift())
      if ((await starter.start(next)) || (next.is_quiet && (await starter.replaceStuck(next)))) {
        workflowWoken('anew', 'started');
        started += 1;
      }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
  return started;
}
