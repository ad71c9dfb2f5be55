// For commands that start workflows once and end: a connection of their own, closed behind them.
import { Client } from '@temporalio/client';
import type { Log } from '../common/log.js';
import type { Config } from '../config/config.js';
import { lazyConnection } from './connection.js';
import { ConversationStarter } from './conversation-starter.js';
import { AccountWorkflows } from './account-workflows.js';
import { prepareSearchAttributes, registerSearchAttributes } from './search-attributes.js';

/** Runs `work` with starters that are connected to the Temporal of the settings. */
export async function withStarters<Result>(
  { temporal, publicUrl }: Config,
  log: Log,
  work: (starters: { conversations: ConversationStarter; accounts: AccountWorkflows }) => Promise<Result>,
): Promise<Result> {
  const connection = await lazyConnection(temporal);
  try {
    const attributes = await prepareSearchAttributes(connection, temporal.namespace, log);
    const client = new Client({ connection, namespace: temporal.namespace });
    return await work({
      conversations: new ConversationStarter(client, { eager: false, publicUrl, attributes }),
      accounts: new AccountWorkflows(client, { publicUrl, attributes }),
    });
  } finally {
    await connection.close();
  }
}

/** Registers the search attributes that are missing in the Temporal of the settings; their names. */
export async function setUpTemporal({ temporal }: Config): Promise<string[]> {
  const connection = await lazyConnection(temporal);
  try {
    return await registerSearchAttributes(connection, temporal.namespace);
  } finally {
    await connection.close();
  }
}
