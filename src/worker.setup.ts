// Builds the worker: the same for the process and the tests.
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
  /** Path of the workflow bundle; default: what the build made. */
  workflowBundle?: string;
  clock?: Clock;
}

/** The parts of a worker, none of which does anything yet. Databases must be reachable and migrated. `close()` ends all pools. */
export function createWorker(config: Config, log: Log, options: WorkerOptions = {}): Promise<INestApplicationContext> {
  const { workflowBundle = fileURLToPath(BUNDLE), clock } = options;
  return NestFactory.createApplicationContext(WorkerModule.of({ config, log, clock, workflowBundle }), {
    logger: new NestLog(log),
    abortOnError: false,
  });
}

export interface RunningWorker {
  /** Finishes what is under way and closes everything. What hangs is waited for: whoever calls it sets the limit. */
  stop(): Promise<void>;
}

/** Starts all loops of a worker; resolves once facts are applied. Temporal is connected to in the background. */
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
