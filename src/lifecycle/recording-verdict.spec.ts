import { describe, expect, it } from 'vitest';
import type { ConversationSnapshot } from './conversation-snapshot.js';
import { verdictOf } from './recording-verdict.js';

const END = 1_000_000;
const DEADLINE_S = 600;
const LATE = END + DEADLINE_S * 1000;

function snapshot(audio: 'pending' | 'present' | 'absent', fetchable: string[]): Parameters<typeof verdictOf>[0] {
  return {
    record: { completeness: { audio: { state: audio } }, fetchable } as ConversationSnapshot['record'],
    endSeenAt: END,
    account: { deadlines: { audio: DEADLINE_S } } as ConversationSnapshot['account'],
  };
}

const wait = (what: string, retryInMs: number) => ({ kind: 'wait', what, retryInMs });

describe('fetching recordings', () => {
  it.each([
    ['is done, when there is one and nothing more is offered', 'present', [], 0, 1, END, { kind: 'done' }],
    ['is done, when there is none and nothing is offered', 'absent', [], 0, 1, LATE, { kind: 'done' }],
    ['waits for the link', 'pending', [], 0, 2, END, wait('the recording', 2_000)],
    ['waits no longer than to the deadline', 'pending', [], 0, 11, LATE - 900, wait('the recording', 900)],
    ['is over at the deadline, when no link came', 'pending', [], 0, 1, LATE, { kind: 'give_up' }],
    ['tries what is refused a few times, however late', 'pending', ['mixed'], 1, 1, LATE, wait('the recording', 1_000)],
    ['tries it soon again after the deadline', 'pending', ['mixed'], 1, 5, LATE, wait('the recording', 5_000)],
    ['is over, when it was tried often enough', 'pending', ['mixed'], 1, 6, LATE, { kind: 'give_up' }],
    ['goes on for a refused further one', 'present', ['redacted'], 1, 7, END, wait('a further recording', 64_000)],
    ['is over with a refused further one at the deadline', 'present', ['redacted'], 1, 6, LATE, { kind: 'give_up' }],
    ['tries a late link a few times', 'absent', ['mixed'], 1, 4, LATE, wait('a further recording', 5_000)],
    [
      'takes up a link of this very round at once',
      'present',
      ['redacted'],
      0,
      9,
      LATE,
      wait('a further recording', 1_000),
    ],
  ] as const)('%s', (_, audio, fetchable, refused, tries, now, verdict) => {
    expect(verdictOf(snapshot(audio, [...fetchable]), { refused, tries, awayMs: 0, now }, () => 0)).toEqual(verdict);
  });

  it('never gives up, while the end is not known', () => {
    const unknown = { ...snapshot('pending', []), endSeenAt: null };
    expect(verdictOf(unknown, { refused: 0, tries: 8, awayMs: 0, now: LATE }, () => 0)).toEqual(
      wait('the recording', 128_000),
    );
  });
});
