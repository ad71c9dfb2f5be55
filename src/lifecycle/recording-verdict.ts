// After a round of fetching: is it done, is it over, or when is the next try? Pure.
import { nextTry } from './waiting-ladder.js';
import type { ConversationSnapshot } from './conversation-snapshot.js';

export type Verdict = { kind: 'done' } | { kind: 'give_up' } | { kind: 'wait'; what: string; retryInMs: number };

/**
 * How often what is offered is tried at least, also when the deadline is over: a worker that was away for long tries all at
 * once. Failures of our own store are no tries.
 */
const LEAST_TRIES = 6;
/** Between two tries after the deadline: somebody waits for the record. */
const LATE_MS = 5_000;

interface Round {
  /** How many variants could not be had. */
  refused: number;
  /** How often the provider was asked, this round included. */
  tries: number;
  /** Milliseconds that it wants us to stay away. */
  awayMs: number;
  /** Epoch milliseconds. */
  now: number;
}

/** What follows from where a conversation stands once everything that it offered has been tried. */
export function verdictOf(
  { record, endSeenAt, account }: Pick<ConversationSnapshot, 'record' | 'endSeenAt' | 'account'>,
  { refused, tries, awayMs, now }: Round,
  random: () => number = Math.random,
): Verdict {
  const isPending = record.completeness.audio.state === 'pending';
  const offered = record.fetchable.length;
  if (!isPending && offered === 0) return { kind: 'done' };
  // Of a conversation that has its recording a further one is tried for as long as the first would have been.
  const dueAt = endSeenAt === null ? Infinity : endSeenAt + account.deadlines.audio * 1000;
  // A link that came during the round is tried at once.
  const isNew = refused < offered;
  const isOver = now >= dueAt;
  if (isOver && (offered === 0 || (!isNew && tries >= LEAST_TRIES))) return { kind: 'give_up' };
  const until = isOver ? now + LATE_MS : dueAt;
  const retryInMs = nextTry(
    { tries: isNew ? 1 : tries, startedAt: endSeenAt ?? now, dueAt: until, now, awayMs },
    random,
  );
  return { kind: 'wait', what: isPending ? 'the recording' : 'a further recording', retryInMs };
}
