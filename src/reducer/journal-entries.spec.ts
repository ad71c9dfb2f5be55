import { describe, expect, it } from 'vitest';
import { entriesOf } from './journal-entries.js';
import type { Fact, StoredRecording } from './fact.js';
import { project } from './project.js';
import { EMPTY } from './conversation-state.js';
import { reduce } from './reducer.js';

const START = 1_760_000_000_000;
const SETTINGS = { deadlines: { analysis: 1800, transcript: 3600, audio: 86_400 }, defaultRegion: null };

const stored = (seconds: number, id = '01900000-0000-7000-8000-000000000001'): Fact => {
  const recording: StoredRecording = {
    id,
    variant: 'mixed',
    content_type: 'audio/wav',
    bytes: 10,
    duration_ms: null,
    object_key: id,
    created_at: START + seconds * 1000,
  };
  const receipt = { receivedAt: START + seconds * 1000, hash: seconds.toString(16).padStart(8, '0') };
  return {
    ...receipt,
    source: 'workflow',
    event: 'recording_stored',
    statement: { kind: 'recording_stored', recording },
  };
};

const entriesAfter = (before: Fact[], facts: Fact[]): string[] => {
  const state = reduce(EMPTY, before).state;
  const was = before.length === 0 ? null : project(state, SETTINGS);
  const is = project(reduce(state, facts).state, SETTINGS);
  return entriesOf(was, is, facts, false)
    .map(({ action }) => action)
    .filter((action) => action.startsWith('recording.'));
};

describe('entriesOf', () => {
  it('has one entry for a recording that two attempts stored, if both facts are applied together', () => {
    expect(entriesAfter([], [stored(1), stored(2)])).toEqual(['recording.stored']);
  });

  it('has no further entry when a later copy of a stored recording is applied', () => {
    expect(entriesAfter([stored(1)], [stored(2)])).toEqual([]);
  });

  it('has `recording.replaced` when a copy that was received earlier is stored later', () => {
    const earlier = stored(1, '01900000-0000-7000-8000-000000000002');
    expect(entriesAfter([stored(2)], [earlier])).toEqual(['recording.replaced']);
  });
});
