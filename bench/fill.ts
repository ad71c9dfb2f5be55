// Adds finished calls to an installation through webhooks.
import { setTimeout as sleep } from 'node:timers/promises';
import { RETELL_KEY, type Account, type Environment } from './environment.js';
import type { LoadResult } from './load/closed-loop.js';
import type { WebhooksPlan } from './load/webhooks.js';
import { runPart } from './programs.js';

const WAIT_MS = 120_000;

/** Waits until the `count` of a query is `wanted`. Throws after two minutes. */
export async function waitForCount({ sql }: Environment, query: string, wanted: number): Promise<void> {
  for (const until = Date.now() + WAIT_MS; ; await sleep(10)) {
    const { rows } = await sql.query<{ count: string }>(query);
    if (Number(rows[0]?.count) === wanted) return;
    if (Date.now() > until) throw new Error(`${rows[0]?.count ?? 'nothing'} instead of ${wanted}: ${query}`);
  }
}

export const INBOX_DEPTH = "select count(*) from inbox where state = 'pending'";

/** Sends finished calls and waits until the worker has applied them. Resolves with the uuids of conversations and clients. */
export async function finishedCalls(
  environment: Environment,
  account: Account,
  callIds: string[],
  { turns, recordingUrl }: { turns: number; recordingUrl?: string },
): Promise<{ id: string; client_id: string }[]> {
  const plan: WebhooksPlan = {
    port: environment.port,
    connections: 16,
    path: account.path,
    apiKey: RETELL_KEY,
    event: 'call_analyzed',
    callIds,
    duplicates: 0,
    turns,
    ...(recordingUrl !== undefined && { recordingUrl }),
  };
  await runPart<LoadResult>('load/webhooks', plan);
  await waitForCount(environment, INBOX_DEPTH, 0);
  const { rows } = await environment.sql.query<{ id: string; client_id: string }>(
    'select id, client_id from conversations',
  );
  if (rows.length !== callIds.length) throw new Error(`${rows.length} conversations of ${callIds.length}`);
  return rows;
}
