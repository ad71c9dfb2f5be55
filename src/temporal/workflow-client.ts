// Starts and signals workflows: implements the outbox's port with Temporal's client.
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowIdConflictPolicy,
  WorkflowIdReusePolicy,
  WorkflowNotFoundError,
  type Client,
} from '@temporalio/client';
import type { FailedRun, WantedRuns, Workflows, WorkflowSignal, WorkflowStart } from '../outbox/workflow-kind.js';
import { mapCallFailures } from './call-failure.js';
import type { SearchAttributes } from './search-attributes.js';

/** Shorter than the time that a stopping process waits for its calls. */
const DEADLINE_MS = 5_000;
/** A workflow counts as stuck after this many failed attempts of its task; Temporal's pauses between them grow. */
const STUCK_ATTEMPTS = 3;

interface Options {
  attributes: SearchAttributes;
  /** Eager start: the first task goes directly to a worker on the same connection, without Temporal's matching service. */
  eager: boolean;
}

export class WorkflowClient implements Workflows {
  constructor(
    private readonly client: Client,
    private readonly options: Options,
  ) {}

  async start(start: WorkflowStart): Promise<boolean> {
    const options = { ...optionsOf(start), requestEagerStart: this.options.eager };
    try {
      await this.starting(start, (attributes) => this.client.workflow.start(start.type, { ...options, ...attributes }));
      return true;
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
      throw error;
    }
  }

  async signal(start: WorkflowStart, { name, args }: WorkflowSignal): Promise<void> {
    const options = { ...optionsOf(start), signal: name, signalArgs: args };
    await this.starting(start, (attributes) =>
      this.client.workflow.signalWithStart(start.type, { ...options, ...attributes }),
    );
  }

  async replaceStuck(start: WorkflowStart): Promise<boolean> {
    const handle = this.client.workflow.getHandle(start.workflowId);
    const described = await mapCallFailures(() =>
      this.bounded(() => handle.describe()).catch((error: unknown) => {
        if (error instanceof WorkflowNotFoundError) return null;
        throw error;
      }),
    );
    if ((described?.raw.pendingWorkflowTask?.attempt ?? 0) < STUCK_ATTEMPTS) return false;
    const options = {
      ...optionsOf(start),
      workflowIdConflictPolicy: WorkflowIdConflictPolicy.TERMINATE_EXISTING,
    };
    await this.starting(start, (attributes) => this.client.workflow.start(start.type, { ...options, ...attributes }));
    return true;
  }

  failedSince(type: string, since: Date, { limit, isKnown }: WantedRuns): Promise<FailedRun[]> {
    const query = `WorkflowType = '${type}' and ExecutionStatus = 'Failed' and CloseTime > '${since.toISOString()}'`;
    const list = async (): Promise<FailedRun[]> => {
      const runs: FailedRun[] = [];
      for await (const { workflowId, runId, closeTime } of this.client.workflow.list({ query })) {
        if (isKnown(runId)) continue;
        runs.push({ workflowId, runId, closedAt: closeTime?.getTime() ?? Date.now() });
        if (runs.length >= limit) break;
      }
      return runs;
    };
    return mapCallFailures(() => this.bounded(list));
  }

  private starting<Result>({ attributes }: WorkflowStart, start: (known: object) => Promise<Result>): Promise<Result> {
    return mapCallFailures(() =>
      this.options.attributes.starting(attributes, (known) => this.bounded(() => start(known))),
    );
  }

  private bounded<Result>(call: () => Promise<Result>): Promise<Result> {
    return this.client.withDeadline(Date.now() + DEADLINE_MS, call);
  }
}

const optionsOf = ({ workflowId, queue, input, summary, details }: WorkflowStart) => ({
  workflowId,
  taskQueue: queue,
  args: [input],
  workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
  staticSummary: summary,
  staticDetails: details,
});
