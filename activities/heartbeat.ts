// Tells a slow activity from a dead worker.
import { Context } from '@temporalio/activity';

const HEARTBEAT_MS = 5_000;

/** By the clock and not by what arrives: a provider that is slow to answer is no dead worker. */
export async function beating<Result>(work: () => Promise<Result>): Promise<Result> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), HEARTBEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
