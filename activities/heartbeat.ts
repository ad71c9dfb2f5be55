// Tells a slow activity from a dead worker.
import { Context } from '@temporalio/activity';
import { RetryLater } from '../src/lifecycle/retry-later.js';

const HEARTBEAT_MS = 5_000;

/**
 * What the last attempt left for this one (`RetryLater.progress`) stays with every heartbeat.
 *
 * By the clock and not by what arrives: a provider that is slow to answer is no dead worker.
 */
export async function beating<Result>(work: () => Promise<Result>): Promise<Result> {
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
