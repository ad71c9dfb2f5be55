// The Temporal side of a worker process: connects, polls, and comes back by itself when Temporal was away.
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import { type NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { Inject, Injectable } from '@nestjs/common';
import { errorFields, Log } from '../common/log.js';
import { CONFIG } from '../config/config.module.js';
import type { WorkflowConnection } from '../outbox/workflow-kind.js';
import { QUEUE } from '../../workflows/names.js';
import type { Config } from '../config/config.js';
import { nativeConnection } from './connection.js';
import { prepareSearchAttributes, type SearchAttributes } from './search-attributes.js';
import { observeActivity, sendTrace } from './trace-headers.js';
import { WorkerGroup } from './worker-group.js';
import { WorkflowClient } from './workflow-client.js';

/** The queues of long activities have no workflows, by intention. */
const EXPECTED = /^No workflows registered/;
const RETRY_MS = 2_000;
/** How often it is checked that Temporal is still the one that was connected to. */
const CHECK_MS = 10_000;
/** Activities get their time to finish; then they are cancelled. In all less than the 10 s that a process has to stop. */
const GRACE = '5 seconds';
const FORCE = '6 seconds';
/** The SDK waits for its polls and its connection as well; a server that hangs answers neither. */
const STOP_MS = 7_000;
/** Accounts whose past one process walks through at the same time; more take turns. */
const WALKS = 2;
/** Recordings that one process fetches at the same time; more take turns. */
const DOWNLOADS = 24;

/** Injection tokens: the activities as a plain object of functions, and the path of the bundle that the build made. */
export const ACTIVITIES = Symbol('activities');
export const WORKFLOW_BUNDLE = Symbol('workflow bundle');

@Injectable()
export class TemporalWorker implements WorkflowConnection {
  private workers: WorkerGroup | null = null;
  private workflowClient: WorkflowClient | null = null;
  private stopped = false;
  /** Workflows and activities may be under way: stopping waits for them. */
  private serving = false;
  private running: Promise<void> = Promise.resolve();
  private relays: Promise<void> = Promise.resolve();

  private whenConnected: (how: { hasLostAll: boolean }) => void = () => undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(WORKFLOW_BUNDLE) private readonly workflowBundle: string,
    @Inject(ACTIVITIES) private readonly activities: object,
    private readonly log: Log,
  ) {}

  /** `listener` is called each time that workflows can be started. */
  onConnected(listener: (how: { hasLostAll: boolean }) => void): void {
    this.whenConnected = listener;
  }

  /** Signals are ours, not the SDK's: the process decides the order in which it stops. Once a process, before all else. */
  static installRuntime(log: Log): void {
    Runtime.install({
      shutdownSignals: [],
      logger: {
        log: (_level, message) => log.debug(message),
        trace: (message) => log.debug(message),
        debug: (message) => log.debug(message),
        info: (message) => log.debug(message),
        warn: (message, about) => (EXPECTED.test(message) ? log.debug(message) : log.warn(message, idsOf(about))),
        error: (message, about) => log.error(message, idsOf(about)),
      },
    });
  }

  start(): void {
    this.running = this.run();
  }

  /** Starts and signals workflows; null while Temporal is away. */
  get workflows(): WorkflowClient | null {
    return this.workflowClient;
  }

  /** Ends polling, and activities after their grace. The connection stays until `relays`, which use it, are done. */
  async stop(relays: Promise<void> = Promise.resolve()): Promise<void> {
    this.stopped = true;
    this.relays = relays;
    // A server that accepts and never answers must not hold up a process that has nothing to finish.
    const ended = this.serving ? this.running : Promise.resolve();
    this.workers?.shutDown();
    await Promise.race([Promise.all([ended, relays]), sleep(STOP_MS, undefined, { ref: false })]);
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      try {
        await this.session();
      } catch (error) {
        this.log.warn('Temporal is away; trying again', { err: errorFields(error) });
      }
      if (!this.stopped) await sleep(RETRY_MS);
    }
  }

  private async session(): Promise<void> {
    const { config, log } = this;
    const connection = await nativeConnection(config.temporal);
    try {
      const attributes = await prepareSearchAttributes(connection, config.temporal.namespace, log);
      const workers = await this.createWorkers(connection);
      this.workers = workers;
      // It may have been told to stop while it was being made.
      if (this.stopped) return await workers.discard();
      this.serving = true;
      // When one of them ends, so do the others, and a new session begins.
      const run = workers.run();
      this.open(connection, attributes);
      const check = setInterval(this.memoryCheck(connection), CHECK_MS);
      await run.finally(() => clearInterval(check));
    } finally {
      this.workflowClient = null;
      this.serving = false;
      await this.relays;
      // What ended the session is told, not what follows from it.
      await connection
        .close()
        .catch((error: unknown) => log.warn('a connection to Temporal stays open', { err: errorFields(error) }));
    }
  }

  /** Workflows and their short activities; and queues for what may take long, which must not take their places. */
  private createWorkers(connection: NativeConnection): Promise<WorkerGroup> {
    const { config, workflowBundle, activities } = this;
    const shared = {
      connection,
      namespace: config.temporal.namespace,
      activities,
      interceptors: { activity: [observeActivity(this.log)] },
      shutdownGraceTime: GRACE,
      shutdownForceTime: FORCE,
    };
    return WorkerGroup.of([
      Worker.create({
        ...shared,
        taskQueue: QUEUE.conversations,
        workflowBundle: { codePath: workflowBundle },
        maxCachedWorkflows: 500,
        // Instead of being tried for ever: outbox/failed-runs.ts starts a new run, which Postgres makes safe.
        workflowFailureErrorTypes: { '*': ['NondeterminismError', 'DeterminismViolationError'] },
        // Below, activities wait for a poll instead of coming with the answer to their workflow's task: two calls more a conversation.
        maxConcurrentActivityTaskExecutions: 100,
      }),
      Worker.create({ ...shared, taskQueue: QUEUE.recordings, maxConcurrentActivityTaskExecutions: DOWNLOADS }),
      Worker.create({ ...shared, taskQueue: QUEUE.reconciliation, maxConcurrentActivityTaskExecutions: WALKS }),
    ]);
  }

  /**
   * A Temporal whose database was lost comes back under the same address and name, and polling goes on as if nothing had
   * happened. Its namespace has another id: then everything is set up and started again.
   */
  private memoryCheck(connection: NativeConnection): () => void {
    const { config, log } = this;
    const { namespace } = config.temporal;
    let known: string | null = null;
    const check = async (): Promise<void> => {
      const { namespaceInfo } = await connection.withDeadline(Date.now() + CHECK_MS / 2, () =>
        connection.workflowService.describeNamespace({ namespace }),
      );
      const id = namespaceInfo?.id ?? null;
      if (known !== null && id !== null && id !== known) {
        log.warn('Temporal has lost its database; starting the workflows of open conversations again');
        await prepareSearchAttributes(connection, namespace, log);
        this.whenConnected({ hasLostAll: true });
      }
      known = id ?? known;
    };
    const run = (): void => void check().catch(() => undefined); // away: the next check, and the worker's own retries
    run();
    return run;
  }

  private open(connection: NativeConnection, attributes: SearchAttributes): void {
    const { namespace } = this.config.temporal;
    const client = new Client({ connection, namespace, interceptors: { workflow: [sendTrace] } });
    this.workflowClient = new WorkflowClient(client, { eager: true, attributes });
    this.whenConnected({ hasLostAll: false });
  }
}

/** Of what the SDK tells, ids and names; its errors may hold anything. */
function idsOf(about: Record<string, unknown> | undefined): Record<string, unknown> {
  const { workflowId, activityType, attempt, error } = about ?? {};
  const failure = error instanceof Error && 'type' in error ? error.type : undefined;
  return { workflowId, activityType, attempt, failure };
}
