// The Temporal part of a worker process: connects, polls, and reconnects after an outage of Temporal.
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

/** The SDK's warning about the queues of long activities, which have no workflows by design. */
const EXPECTED = /^No workflows registered/;
const RETRY_MS = 2_000;
/** Interval of the check that Temporal still has the same database. */
const CHECK_MS = 10_000;
/** Activities may finish within this time, then they are cancelled. The total stays below the 10 s that a process has to stop. */
const GRACE = '5 seconds';
const FORCE = '6 seconds';
/** Longest wait for the SDK, which also waits for its polls and its connection; a hanging server answers neither. */
const STOP_MS = 7_000;
/** Concurrent backfills per process; further ones wait. */
const WALKS = 2;
/** Concurrent downloads of recordings per process; further ones wait. */
const DOWNLOADS = 24;

/** Injection tokens: the activities as a plain object of functions, and the path of the workflow bundle. */
export const ACTIVITIES = Symbol('activities');
export const WORKFLOW_BUNDLE = Symbol('workflow bundle');

@Injectable()
export class TemporalWorker implements WorkflowConnection {
  private workers: WorkerGroup | null = null;
  private workflowClient: WorkflowClient | null = null;
  private stopped = false;
  /** Workflows and activities may be running; stopping waits for them. */
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

  /** Calls `listener` after each connection, once workflows can be started. */
  onConnected(listener: (how: { hasLostAll: boolean }) => void): void {
    this.whenConnected = listener;
  }

  /** Leaves process signals to us, because the order of shutdown matters. Call once per process, before anything else. */
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

  /** Starts and signals workflows; null while Temporal is unavailable. */
  get workflows(): WorkflowClient | null {
    return this.workflowClient;
  }

  /** Ends polling, and activities after their grace period. The connection stays open until `relays`, which use it, are done. */
  async stop(relays: Promise<void> = Promise.resolve()): Promise<void> {
    this.stopped = true;
    this.relays = relays;
    // A server that accepts connections but never answers must not delay a process that has nothing to finish.
    const ended = this.serving ? this.running : Promise.resolve();
    this.workers?.shutDown();
    await Promise.race([Promise.all([ended, relays]), sleep(STOP_MS, undefined, { ref: false })]);
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      try {
        await this.session();
      } catch (error) {
        this.log.warn('Temporal is unavailable; trying again', { err: errorFields(error) });
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
      // `stop` may have been called in the meantime.
      if (this.stopped) return await workers.discard();
      this.serving = true;
      // When one worker ends, all end, and a new session begins.
      const run = workers.run();
      this.open(connection, attributes);
      const check = setInterval(this.memoryCheck(connection), CHECK_MS);
      await run.finally(() => clearInterval(check));
    } finally {
      this.workflowClient = null;
      this.serving = false;
      await this.relays;
      // Log this error only, so that the error that ended the session is the one thrown.
      await connection
        .close()
        .catch((error: unknown) => log.warn('closing a connection to Temporal failed', { err: errorFields(error) }));
    }
  }

  /** One worker for workflows and short activities, and separate ones for long activities, which must not take their slots. */
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
        // Fail such runs instead of retrying forever: outbox/failed-runs.ts starts a new run, which continues from Postgres.
        workflowFailureErrorTypes: { '*': ['NondeterminismError', 'DeterminismViolationError'] },
        // With fewer slots, activities wait for a poll instead of starting with their workflow task: two more calls per conversation.
        maxConcurrentActivityTaskExecutions: 100,
      }),
      Worker.create({ ...shared, taskQueue: QUEUE.recordings, maxConcurrentActivityTaskExecutions: DOWNLOADS }),
      Worker.create({ ...shared, taskQueue: QUEUE.reconciliation, maxConcurrentActivityTaskExecutions: WALKS }),
    ]);
  }

  /**
   * Detects that Temporal has lost its database. It comes back with the same address and namespace name, and polling continues,
   * but the namespace has a new id. Then search attributes are registered and workflows are started again.
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
    const run = (): void => void check().catch(() => undefined); // the next check and the worker's own retries follow
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

/** Ids and names from the SDK's log fields; its errors may contain anything. */
function idsOf(about: Record<string, unknown> | undefined): Record<string, unknown> {
  const { workflowId, activityType, attempt, error } = about ?? {};
  const failure = error instanceof Error && 'type' in error ? error.type : undefined;
  return { workflowId, activityType, attempt, failure };
}
