// For commands that start workflows once and end: a connection of their own, closed behind them.
import { Client } from '@temporalio/client';
import type { Config } from '../config/config.js';
import { ensureSearchAttributes, lazyConnection } from './connection.js';
import { ConversationStarter } from './conversation-starter.js';

/** Runs `work` with a starter that is connected to the Temporal of the settings. */
export async function withStarter<Result>(
  { temporal, publicUrl }: Config,
  work: (starter: ConversationStarter) => Promise<Result>,
): Promise<Result> {
  const connection = await lazyConnection(temporal);
  try {
    await ensureSearchAttributes(connection, temporal.namespace);
    const client = new Client({ connection, namespace: temporal.namespace });
    return await work(new ConversationStarter(client, { eager: false, publicUrl }));
  } finally {
    await connection.close();
  }
}
