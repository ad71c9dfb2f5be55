import { describe, expect, it } from 'vitest';
import type { ConversationRecord } from './record.js';
import { project } from './project.js';
import { EMPTY } from './conversation-state.js';
import { wakeOf } from './wake-rule.js';

type PartState = ConversationRecord['completeness']['audio']['state'];

const NOTHING_KNOWN = project(
  { ...EMPTY, firstSeen: 0, lastSeen: 0 },
  { deadlines: { transcript: 1, audio: 1, analysis: 1 }, defaultRegion: null },
);

/** A record as far as waking looks at it. */
function record(
  recordState: ConversationRecord['recordState'],
  audio: PartState = 'pending',
  fetchable: string[] = [],
): ConversationRecord {
  const completeness = { ...NOTHING_KNOWN.completeness, audio: { state: audio, reason: null, dueAt: null } };
  return { ...NOTHING_KNOWN, recordState, completeness, fetchable };
}

describe('a workflow', () => {
  it.each([
    ['a live one is first heard of', null, record('open'), 'started'],
    ['an ended one is first heard of', null, record('settling', 'pending', ['mixed']), 'started'],
    ['all of it comes at once', null, record('settled', 'present'), null],
    ['all of it comes at once but a recording', null, record('settled', 'present', ['redacted']), 'started'],
    ['a live one goes on', record('open'), record('open'), null],
    ['it ends', record('open'), record('settling'), 'ended'],
    ['it ends and settles at once', record('open'), record('settled', 'absent'), 'ended'],
    ['its link comes while it is waited for', record('settling'), record('settling', 'pending', ['mixed']), null],
    [
      'a further variant comes when the recording is there and the record still waits',
      record('settling', 'present'),
      record('settling', 'present', ['redacted']),
      'late',
    ],
    [
      'its link comes when it is absent already and the record still waits',
      record('settling', 'absent'),
      record('settling', 'absent', ['mixed']),
      'late',
    ],
    ['a call connected after all', record('settling', 'absent'), record('settling', 'pending'), 'late'],
    ['a link comes after it has settled', record('settled', 'absent'), record('settled', 'absent', ['mixed']), 'late'],
    ['the same link comes again', record('settled', 'absent', ['mixed']), record('settled', 'absent', ['mixed']), null],
    ['a lost one is taken back', record('settled', 'absent'), record('settling', 'pending'), 'late'],
    ['a settled one is corrected', record('settled', 'present'), record('settled', 'present'), null],
  ] as const)('when %s', (_, before, after, wake) => {
    expect(wakeOf(before, after)).toBe(wake);
  });
});
