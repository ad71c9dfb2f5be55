// What a failed call to Temporal says of the command that it was for.
import { errorFields } from '../common/log.js';

/** `command`: it was answered, and the same call is answered alike again. `server`: it may have nothing to do with the call. */
type FailureScope = 'command' | 'server';

/** A call that Temporal did not carry out. */
export class CallFailed extends Error {
  constructor(
    /** A gRPC status such as `invalid_argument`: no content. */
    readonly code: string,
    readonly scope: FailureScope,
    cause: unknown,
  ) {
    super(`Temporal did not carry out a call: ${code}`, { cause });
    this.name = 'CallFailed';
  }
}

/** After so many refusals a command waits for a person: eight and a half minutes after the first one. */
const PARK_AFTER = 10;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 300_000;

export interface Refusal {
  code: string;
  /** Milliseconds until it is tried again. */
  retryInMs: number;
  /** It is not tried again by itself. */
  parks: boolean;
}

/**
 * A failure as the command's own; null: Temporal is away, which counts against no command.
 *
 * `attempts`: how often the command was refused before. `isServing`: Temporal has carried out other calls just now. Without
 * that, what could concern every call does, and nothing is parked.
 */
export function refusalOf(
  error: unknown,
  { attempts, isServing }: { attempts: number; isServing: boolean },
): Refusal | null {
  const { code, scope } = error instanceof CallFailed ? error : { code: nameOf(error), scope: 'command' };
  if (scope === 'server' && !isServing) return null;
  return { code, retryInMs: retryMs(attempts), parks: isServing && attempts + 1 >= PARK_AFTER };
}

/** Of a command whose meaning could not be read from our own tables: that is never its own fault. */
export const notRead = (error: unknown, { attempts }: { attempts: number }): Refusal => ({
  code: errorFields(error).code ?? nameOf(error),
  retryInMs: retryMs(attempts),
  parks: false,
});

/** 1, 2, 4 … seconds, at most five minutes. */
const retryMs = (attempts: number): number => Math.min(FIRST_RETRY_MS * 2 ** attempts, LAST_RETRY_MS);

const nameOf = (error: unknown): string =>
  error instanceof Error && /^[A-Za-z]{1,64}$/.test(error.name) ? error.name : 'unknown';
