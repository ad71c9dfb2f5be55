// How activities are tried, by what it costs to do them twice.
import type { ActivityOptions, LocalActivityOptions } from '@temporalio/workflow';
import { QUEUE } from './names.js';

/** Reads Postgres in the worker that runs the workflow: one history event. */
export const LOOK: LocalActivityOptions = {
  startToCloseTimeout: '10 seconds',
  retry: { initialInterval: '500 milliseconds', maximumInterval: '1 minute' },
};

/** One question to the provider. The watchdog asks again later anyway, so it does not insist. */
export const ASK: ActivityOptions = {
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '2 seconds', maximumAttempts: 3 },
};

/**
 * Waits by retrying until what it wants is there or its deadline has come; the activity itself says when to try again.
 * Retries add no history events, and all of it is safe to repeat: facts are stored once. The heartbeat tells a slow
 * provider from a dead worker.
 */
export const AWAIT_RECORD: ActivityOptions = {
  startToCloseTimeout: '1 minute',
  heartbeatTimeout: '20 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '5 minutes' },
};

/** As above, for a download that may be long: on a queue of its own, so that hosts that hang keep nothing else waiting. */
export const AWAIT_RECORDING: ActivityOptions = {
  taskQueue: QUEUE.recordings,
  startToCloseTimeout: '30 minutes',
  heartbeatTimeout: '20 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '10 minutes' },
};

/**
 * A stretch of an account's past. Progress lies in Postgres, so that a repetition goes on where the last one was; on a queue
 * of its own, so that many accounts at once do not keep conversations waiting.
 */
export const WALK: ActivityOptions = {
  taskQueue: QUEUE.reconciliation,
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '20 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '5 minutes' },
};
