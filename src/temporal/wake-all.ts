// Every open conversation has a workflow: the worker's timer and `colloquy wake` see to it, even when Temporal has lost everything.
import type { WorkerDatabase } from '../database/database.js';
import { workflowWoken } from '../observability/metrics.js';
import type { ConversationStarter, StartedConversation } from './conversation-starter.js';

const PAGE = 500;
const CONCURRENCY = 16;

const OPEN = `
select id, client_id, provider, channel, direction from conversations
where (record_state in ('open', 'settling') or unfetched) and id > $1 order by id limit $2`;

export interface WokenConversations {
  /** Conversations that are not settled, or wait for a further recording. */
  open: number;
  /** Those that had no workflow until now. */
  started: number;
}

/** Starts a workflow for every conversation that has work and no workflow. */
export async function wakeAll(database: WorkerDatabase, starter: ConversationStarter): Promise<WokenConversations> {
  const result = { open: 0, started: 0 };
  let after = '00000000-0000-0000-0000-000000000000';
  for (;;) {
    const page = await database.withScope('all', (tx) =>
      tx.query<StartedConversation>({ name: 'open', text: OPEN, values: [after, PAGE] }),
    );
    const last = page.at(-1);
    if (last === undefined) return result;
    result.open += page.length;
    result.started += await startEach(starter, page);
    after = last.id;
  }
}

async function startEach(starter: ConversationStarter, conversations: StartedConversation[]): Promise<number> {
  const queue = [...conversations];
  let started = 0;
  const lane = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift())
      if (await starter.start(next)) {
        workflowWoken('anew', 'started');
        started += 1;
      }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
  return started;
}
