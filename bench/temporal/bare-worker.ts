// The limit of B3: our workflow with activities that do nothing, and an empty workflow. Same server, same bundle and same worker
// settings, started eagerly on the worker's connection as the relay does, 32 at a time.
import { fileURLToPath } from 'node:url';
import { Client, WorkflowIdReusePolicy } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { ConversationActivities } from '../../workflows/conversation.workflow.js';
import type { WorkflowStatus } from '../../workflows/conversation-status.js';
import { CONVERSATION, conversationWorkflowId } from '../../workflows/conversation.names.js';
import { QUEUE } from '../../workflows/names.js';
import { Log } from '../../src/common/log.js';
import { newUuid, publicId } from '../../src/common/ids.js';
import { WorkflowClient } from '../../src/temporal/workflow-client.js';
import { SearchAttributes } from '../../src/temporal/search-attributes.js';
import { servePart } from '../part.js';

export interface BareWorkflowsPlan {
  address: string;
  namespace: string;
  kind: 'same history' | 'empty';
  count: number;
}

const AT_ONCE = 32;
const EMPTY_QUEUE = 'empty';
const ended = { state: 'present', reason: null, dueAt: null };
const view = (phase: WorkflowStatus['phase']): WorkflowStatus => ({
  phase,
  revision: 1,
  askInMs: 900_000,
  askEveryMs: 900_000,
  waitingFor: null,
  refusals: 0,
  completeness: { transcript: ended, audio: ended, analysis: ended },
});

const activities: ConversationActivities = {
  look: () => Promise.resolve(view('settling')),
  askProvider: () => Promise.resolve(view('settling')),
  fetchRecord: () => Promise.resolve(view('settled')),
  fetchRecording: () => Promise.resolve(view('settled')),
};

async function workersOf({ namespace, kind }: BareWorkflowsPlan, connection: NativeConnection): Promise<Worker[]> {
  // As in src/temporal/temporal-worker.ts.
  const settings = { connection, namespace, maxCachedWorkflows: 500, maxConcurrentActivityTaskExecutions: 100 };
  if (kind === 'same history') {
    const codePath = fileURLToPath(new URL('../../workflow-bundle.js', import.meta.url));
    const recordings = { connection, namespace, activities, maxConcurrentActivityTaskExecutions: 24 };
    return Promise.all([
      Worker.create({ ...settings, taskQueue: QUEUE.conversations, workflowBundle: { codePath }, activities }),
      Worker.create({ ...recordings, taskQueue: QUEUE.recordings }),
    ]);
  }
  const workflowsPath = fileURLToPath(new URL('empty-workflow.js', import.meta.url));
  const workflowBundle = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
  return [await Worker.create({ ...settings, taskQueue: EMPTY_QUEUE, workflowBundle })];
}

function starterOf({ kind, namespace }: BareWorkflowsPlan, connection: NativeConnection): () => Promise<unknown> {
  const client = new Client({ connection, namespace });
  if (kind === 'empty') {
    const options = { taskQueue: EMPTY_QUEUE, workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE };
    return () => client.workflow.start('empty', { ...options, workflowId: newUuid(), requestEagerStart: true });
  }
  const attributes = new SearchAttributes({ areRegistered: true, log: new Log('silent') });
  const workflows = new WorkflowClient(client, { eager: true, attributes });
  const about = { clientId: publicId('client', newUuid()), provider: 'retell', channel: 'phone' };
  const url = 'http://127.0.0.1:3000/v1/conversations';
  return () => {
    const conversationId = publicId('conversation', newUuid());
    return workflows.start({
      workflowId: conversationWorkflowId(conversationId),
      type: CONVERSATION,
      queue: QUEUE.conversations,
      input: { conversationId },
      attributes: about,
      summary: 'retell · phone · inbound',
      details: `[Record](${url}/${conversationId}) · [history](${url}/${conversationId}/history)`,
    });
  };
}

async function startAll(start: () => Promise<unknown>, count: number): Promise<void> {
  let left = count;
  const startNext = async (): Promise<void> => {
    while (left-- > 0) await start();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, startNext));
}

servePart(async (plan: BareWorkflowsPlan) => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const connection = await NativeConnection.connect({ address: plan.address });
  const workers = await workersOf(plan, connection);
  for (const worker of workers) worker.run().catch(() => process.exit(1));
  const go = (): Promise<void> => startAll(starterOf(plan, connection), plan.count);
  return { ready: null, go };
});
