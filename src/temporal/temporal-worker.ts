// The Temporal side of a worker process: connects, polls, and comes back by itself when Temporal was away.
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import { type NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { errorFields, type Log } from '../common/log.js';
import type { Config } from '../config/config.js';
import { ensureSearchAttributes, nativeConnection } from './connection.js';
import { ConversationStarter } from './conversation-starter.js';
import { QUEUE } from './settings.js';

const RETRY_MS = 2_000;
/** Activities get their time to finish; then they are cancelled. In all less than the 10 s that a process has to stop. */
const GRACE = '5 seconds';
const FORCE = '8 seconds';

interface Dependencies {
  config: Config;
  /** Path of the bundle that the build made. */
  workflowBundle: string;
  activities: object;
  log: Log;
  /** Told each time that workflows can be started. */
  onConnected: () => void;
}

export class TemporalWorker {
  private worker: Worker | undefined;
  private starter: ConversationStarter | null = null;
  private stopped = false;
  private running: Promise<void> = Promise.resolve();

  constructor(private readonly deps: Dependencies) {}

  /** Signals are ours, not the SDK's: the process decides the order in which it stops. Once a process, before all else. */
  static installRuntime(log: Log): void {
    Runtime.install({
      shutdownSignals: [],
      logger: {
        log: (_level, message) => log.debug(message),
        trace: (message) => log.debug(message),
        debug: (message) => log.debug(message),
        info: (message) => log.debug(message),
        warn: (message, about) => log.warn(message, idsOf(about)),
        error: (message, about) => log.error(message, idsOf(about)),
      },
    });
  }

  start(): void {
    this.running = this.run();
  }

  /** Starts workflows; null while Temporal is away. */
  get conversations(): ConversationStarter | null {
    return this.starter;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    if (this.worker?.getState() === 'RUNNING') this.worker.shutdown();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      try {
        await this.session();
      } catch (error) {
        this.deps.log.warn('Temporal is away; trying again', { err: errorFields(error) });
      }
      if (!this.stopped) await sleep(RETRY_MS);
    }
  }

  private async session(): Promise<void> {
    const { config, workflowBundle, activities } = this.deps;
    const connection = await nativeConnection(config.temporal);
    try {
      await ensureSearchAttributes(connection, config.temporal.namespace);
      this.worker = await Worker.create({
        connection,
        namespace: config.temporal.namespace,
        taskQueue: QUEUE.conversations,
        workflowBundle: { codePath: workflowBundle },
        activities,
        shutdownGraceTime: GRACE,
        shutdownForceTime: FORCE,
        maxCachedWorkflows: 500,
        maxConcurrentActivityTaskExecutions: 20,
      });
      // It may have been told to stop while it was being made.
      if (this.stopped) return;
      const run = this.worker.run();
      this.open(connection);
      await run;
    } finally {
      this.starter = null;
      await connection.close();
    }
  }

  private open(connection: NativeConnection): void {
    const { config, onConnected } = this.deps;
    const client = new Client({ connection, namespace: config.temporal.namespace });
    this.starter = new ConversationStarter(client, { eager: true, publicUrl: config.publicUrl });
    onConnected();
  }
}

/** Of what the SDK tells, ids and names; its errors may hold anything. */
function idsOf(about: Record<string, unknown> | undefined): Record<string, unknown> {
  const { workflowId, activityType, attempt, error } = about ?? {};
  const failure = error instanceof Error && 'type' in error ? error.type : undefined;
  return { workflowId, activityType, attempt, failure };
}
