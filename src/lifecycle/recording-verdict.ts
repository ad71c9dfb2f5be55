// Decides after a round of fetching recordings: done, give up, or when to try again. Pure.
import { nextTryMs } from './retry-schedule.js';
import type { ConversationSnapshot } from './conversation-snapshot.js';

export type Verdict = { kind: 'done' } | { kind: 'give_up' } | { kind: 'wait'; what: string; retryInMs: number };

/**
 * An offered recording is tried at least so often, even past the deadline: a worker that was down for long finds everything
 * overdue. Failures of our own store do not count as tries.
 */
const LEAST_TRIES = 6;
/** Pause between tries after the deadline; short, because the record cannot settle before. */
const LATE_MS = 5_000;

interface Round {
  /** How many variants the provider refused. */
  refused: number;
  /** How often the provider was asked, including this round. */
  tries: number;
  /** `Retry-After`, milliseconds. */
  awayMs: number;
  /** Epoch milliseconds. */
  now: number;
}

/** What to do after every offered variant has been tried once in this round. */
export function verdictOf(
  { record, endSeenAt, account }: Pick<ConversationSnapshot, 'record' | 'endSeenAt' | 'account'>,
  { refused, tries, awayMs, now }: Round,
  random: () => number = Math.random,
): Verdict {
  const isPending = record.completeness.audio.state === 'pending';
  const offered = record.fetchable.length;
  if (!isPending && offered === 0) return { kind: 'done' };
  // A further recording is tried until the same deadline as the first.
  const dueAt = endSeenAt === null ? Infinity : endSeenAt + account.deadlines.audio * 1000;
  // A link that arrived during the round is tried at once.
  const isNew = refused < offered;
  const isOver = now >= dueAt;
  if (isOver && (offered === 0 || (!isNew && tries >= LEAST_TRIES))) return { kind: 'give_up' };
  const until = isOver ? now + LATE_MS : dueAt;
  const retryInMs = nextTryMs(
    { tries: isNew ? 1 : tries, startedAt: endSeenAt ?? now, dueAt: until, now, awayMs },
    random,
  );
  return { kind: 'wait', what: isPending ? 'the recording' : 'a further recording', retryInMs };
}
