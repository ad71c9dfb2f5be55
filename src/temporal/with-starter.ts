// For commands that start workflows once and end: a connection of their own, closed behind them.
import { Client } from '@temporalio/client';
import type { Config } from '../config/config.js';
import { ensureSearchAttributes, lazyConnection } from './connection.js';
import { ConversationStarter } from './conversation-starter.js';
import { AccountWorkflows } from './account-workflows.js';

/** Runs `work` with starters that are connected to the Temporal of the settings. */
export async function withStarters<Result>(
  { temporal, publicUrl }: Config,
  work: (starters: { conversations: ConversationStarter; accounts: AccountWorkflows }) => Promise<Result>,
): Promise<Result> {
  const connection = await lazyConnection(temporal);
  try {
    await ensureSearchAttributes(connection, temporal.namespace);
    const client = new Client({ connection, namespace: temporal.namespace });
    return await work({
      conversations: new ConversationStarter(client, { eager: false, publicUrl }),
      accounts: new AccountWorkflows(client, { publicUrl }),
    });
  } finally {
    await connection.close();
  }
}
