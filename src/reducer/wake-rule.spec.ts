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

/** A record with the fields that the wake rule reads. */
function record(
  recordState: ConversationRecord['recordState'],
  audio: PartState = 'pending',
  fetchable: string[] = [],
): ConversationRecord {
  const completeness = { ...NOTHING_KNOWN.completeness, audio: { state: audio, reason: null, dueAt: null } };
  return { ...NOTHING_KNOWN, recordState, completeness, fetchable };
}

describe('wakeOf', () => {
  it.each([
    ['the first facts are of a live conversation', null, record('open'), 'started'],
    ['the first facts are of an ended conversation', null, record('settling', 'pending', ['mixed']), 'started'],
    ['the first facts settle it', null, record('settled', 'present'), null],
    ['the first facts settle it, except for a recording', null, record('settled', 'present', ['redacted']), 'started'],
    ['a live conversation continues', record('open'), record('open'), null],
    ['it ends', record('open'), record('settling'), 'ended'],
    ['it ends and settles at once', record('open'), record('settled', 'absent'), 'ended'],
    ['a link comes while the audio is pending', record('settling'), record('settling', 'pending', ['mixed']), null],
    [
      'a further variant comes while the recording is stored and the record is still pending',
      record('settling', 'present'),
      record('settling', 'present', ['redacted']),
      'late',
    ],
    [
      'its link comes while the audio is already absent and the record is still pending',
      record('settling', 'absent'),
      record('settling', 'absent', ['mixed']),
      'late',
    ],
    ['it turns out that a call did connect', record('settling', 'absent'), record('settling', 'pending'), 'late'],
    ['a link comes after it has settled', record('settled', 'absent'), record('settled', 'absent', ['mixed']), 'late'],
    ['the same link comes again', record('settled', 'absent', ['mixed']), record('settled', 'absent', ['mixed']), null],
    ['a lost conversation turns up again', record('settled', 'absent'), record('settling', 'pending'), 'late'],
    ['a settled conversation is corrected', record('settled', 'present'), record('settled', 'present'), null],
  ] as const)('when %s', (_, before, after, wake) => {
    expect(wakeOf(before, after)).toBe(wake);
  });
});
