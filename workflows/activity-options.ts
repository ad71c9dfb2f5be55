// Timeouts and retries of activities. All of them are safe to repeat.
import type { ActivityOptions, LocalActivityOptions } from '@temporalio/workflow';
import { QUEUE } from './names.js';

/** A local activity that reads Postgres: one history event. */
export const LOOK: LocalActivityOptions = {
  startToCloseTimeout: '10 seconds',
  retry: { initialInterval: '500 milliseconds', maximumInterval: '1 minute' },
};

/** One request to the provider. A few retries are enough, because the watchdog asks again later anyway. */
export const ASK: ActivityOptions = {
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '2 seconds', maximumAttempts: 3 },
};

/**
 * Waits by retrying until the record is complete or its deadline has passed; the activity itself says when to try again. Retries
 * add no history events, and facts are stored once. The heartbeat distinguishes a slow provider from a dead worker.
 */
export const AWAIT_RECORD: ActivityOptions = {
  startToCloseTimeout: '1 minute',
  heartbeatTimeout: '20 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '5 minutes' },
};

/** Like {@link AWAIT_RECORD}, for downloads that may be long: on a separate queue, so that hanging hosts delay nothing else. */
export const AWAIT_RECORDING: ActivityOptions = {
  taskQueue: QUEUE.recordings,
  startToCloseTimeout: '30 minutes',
  heartbeatTimeout: '20 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '10 minutes' },
};

/**
 * A part of an account's past. Progress is stored in Postgres, so that a retry continues where the last attempt stopped. On a
 * separate queue, so that many accounts at once do not delay conversations.
 */
export const WALK: ActivityOptions = {
  taskQueue: QUEUE.reconciliation,
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '20 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '5 minutes' },
};
