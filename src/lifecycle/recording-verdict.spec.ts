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

describe('verdictOf', () => {
  it.each([
    ['is done when a recording is stored and nothing more is offered', 'present', [], 0, 1, END, { kind: 'done' }],
    ['is done when the audio is absent and nothing is offered', 'absent', [], 0, 1, LATE, { kind: 'done' }],
    ['waits for a link', 'pending', [], 0, 2, END, wait('the recording', 2_000)],
    ['waits at most until the deadline', 'pending', [], 0, 11, LATE - 900, wait('the recording', 900)],
    ['gives up at the deadline if no link came', 'pending', [], 0, 1, LATE, { kind: 'give_up' }],
    [
      'tries a refused recording a few times, even past the deadline',
      'pending',
      ['mixed'],
      1,
      1,
      LATE,
      wait('the recording', 1_000),
    ],
    ['tries again soon after the deadline', 'pending', ['mixed'], 1, 5, LATE, wait('the recording', 5_000)],
    ['gives up after enough tries', 'pending', ['mixed'], 1, 6, LATE, { kind: 'give_up' }],
    [
      'keeps trying a refused further recording',
      'present',
      ['redacted'],
      1,
      7,
      END,
      wait('a further recording', 64_000),
    ],
    ['gives up a refused further recording at the deadline', 'present', ['redacted'], 1, 6, LATE, { kind: 'give_up' }],
    ['tries a late link a few times', 'absent', ['mixed'], 1, 4, LATE, wait('a further recording', 5_000)],
    [
      'tries a link that came during this round at once',
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

  it('never gives up while the end is unknown', () => {
    const unknown = { ...snapshot('pending', []), endSeenAt: null };
    expect(verdictOf(unknown, { refused: 0, tries: 8, awayMs: 0, now: LATE }, () => 0)).toEqual(
      wait('the recording', 128_000),
    );
  });
});
