// Temporal for commands of the CLI: a short-lived connection that is closed afterwards.
import { Client } from '@temporalio/client';
import type { Log } from '../common/log.js';
import type { Config } from '../config/config.js';
import { lazyConnection } from './connection.js';
import { prepareSearchAttributes, registerSearchAttributes } from './search-attributes.js';
import { WorkflowClient } from './workflow-client.js';

/** Runs `work` with a client for the configured Temporal. */
export async function withWorkflowClient<Result>(
  { temporal }: Config,
  log: Log,
  work: (workflows: WorkflowClient) => Promise<Result>,
): Promise<Result> {
  const connection = await lazyConnection(temporal);
  try {
    const attributes = await prepareSearchAttributes(connection, temporal.namespace, log);
    const client = new Client({ connection, namespace: temporal.namespace });
    return await work(new WorkflowClient(client, { eager: false, attributes }));
  } finally {
    await connection.close();
  }
}

/** Registers missing search attributes in the configured Temporal; resolves with their names. */
export async function setUpTemporal({ temporal }: Config): Promise<string[]> {
  const connection = await lazyConnection(temporal);
  try {
    return await registerSearchAttributes(connection, temporal.namespace);
  } finally {
    await connection.close();
  }
}
