// Sends heartbeats, by which Temporal distinguishes a slow activity from a dead worker.
import { Context } from '@temporalio/activity';
import { RetryLater } from '../src/lifecycle/retry-later.js';

const HEARTBEAT_MS = 5_000;

/**
 * Runs `work` and sends a heartbeat every 5 s, whether data arrives or not: a slow provider is no dead worker. Each heartbeat
 * repeats what the last attempt left for this one (`RetryLater.progress`).
 */
export async function withHeartbeat<Result>(work: () => Promise<Result>): Promise<Result> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(context.info.heartbeatDetails), HEARTBEAT_MS);
  try {
    return await work();
  } catch (error) {
    if (error instanceof RetryLater && error.progress !== null) context.heartbeat(error.progress);
    throw error;
  } finally {
    clearInterval(timer);
  }
}
