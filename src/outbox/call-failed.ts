// Classifies failed calls to Temporal: whether they count against the command that they were made for.
import { errorFields } from '../common/log.js';

/** `command`: Temporal rejected this call and would reject it again. `server`: the cause may be unrelated to the call. */
type FailureScope = 'command' | 'server';

/** A call that Temporal did not carry out. */
export class CallFailed extends Error {
  constructor(
    /** A gRPC status such as `invalid_argument`; never content. */
    readonly code: string,
    readonly scope: FailureScope,
    cause: unknown,
  ) {
    super(`Temporal did not carry out a call: ${code}`, { cause });
    this.name = 'CallFailed';
  }
}

/** A command is parked for an operator after this many refusals, eight and a half minutes after the first. */
const PARK_AFTER = 10;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 300_000;

export interface Refusal {
  code: string;
  /** Milliseconds until the next attempt. */
  retryInMs: number;
  /** There is no automatic retry. */
  parks: boolean;
}

/**
 * The refusal that a failure means for its command; null: Temporal is unavailable, which counts against no command.
 *
 * `attempts`: earlier refusals of the command. `isServing`: Temporal has recently carried out other calls. If it has not, a
 * failure of scope `server` counts as an outage, and no command is parked.
 */
export function refusalOf(
  error: unknown,
  { attempts, isServing }: { attempts: number; isServing: boolean },
): Refusal | null {
  const { code, scope } = error instanceof CallFailed ? error : { code: nameOf(error), scope: 'command' };
  if (scope === 'server' && !isServing) return null;
  return { code, retryInMs: retryMs(attempts), parks: isServing && attempts + 1 >= PARK_AFTER };
}

/** For a command whose target could not be read from our own tables. It is retried and never parked. */
export const notRead = (error: unknown, { attempts }: { attempts: number }): Refusal => ({
  code: errorFields(error).code ?? nameOf(error),
  retryInMs: retryMs(attempts),
  parks: false,
});

/** 1, 2, 4 … seconds, at most five minutes. */
const retryMs = (attempts: number): number => Math.min(FIRST_RETRY_MS * 2 ** attempts, LAST_RETRY_MS);

const nameOf = (error: unknown): string =>
  error instanceof Error && /^[A-Za-z]{1,64}$/.test(error.name) ? error.name : 'unknown';
