// Builds the worker, for the process and for tests.
import 'reflect-metadata';
import { fileURLToPath } from 'node:url';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Clock } from './common/clock.js';
import { NestLog, type Log } from './common/log.js';
import type { Config } from './config/config.js';
import { WorkerLoops } from './worker-loops.js';
import { WorkerModule } from './worker.module.js';

const BUNDLE = new URL('../workflow-bundle.js', import.meta.url);

interface WorkerOptions {
  /** Path of the workflow bundle; default: that of the build. */
  workflowBundle?: string;
  clock?: Clock;
}

/** Creates a worker without starting its loops. Databases must be reachable and migrated. `close()` closes all pools. */
export function createWorker(config: Config, log: Log, options: WorkerOptions = {}): Promise<INestApplicationContext> {
  const { workflowBundle = fileURLToPath(BUNDLE), clock } = options;
  return NestFactory.createApplicationContext(WorkerModule.of({ config, log, clock, workflowBundle }), {
    logger: new NestLog(log),
    abortOnError: false,
  });
}

export interface RunningWorker {
  /** Finishes the current work and closes everything, without a time limit: the caller sets one. */
  stop(): Promise<void>;
}

/** Creates a worker and starts its loops; the connection to Temporal is made in the background. */
export async function startWorker(config: Config, log: Log, options: WorkerOptions = {}): Promise<RunningWorker> {
  const worker = await createWorker(config, log, options);
  const loops = worker.get(WorkerLoops);
  loops.start();
  return {
    stop: async () => {
      await loops.stop();
      await worker.close();
    },
  };
}
