// Header and state in parts: what belongs to a class is in its part alone, and the parts make the whole again.
import { describe, expect, it } from 'vitest';
import { ELEVENLABS_FACTS, RETELL_FACTS, webhook } from '../../test/support/facts.js';
import { DATA_CLASSES } from '../common/data-class.js';
import { EMPTY, joinState, stateParts } from './conversation-state.js';
import type { Fact } from './fact.js';
import { headerParts, joinHeader } from './header.js';
import { project } from './project.js';
import { reduce } from './reducer.js';

const SETTINGS = { deadlines: { analysis: 1800, transcript: 3600, audio: 86_400 }, defaultRegion: null };
const stateOf = (facts: Fact[]) => reduce(EMPTY, facts).state;

const SAID = [{ role: 'user', content: 'planted words', words: [{ word: 'planted', start: 1, end: 2 }] }];
/** One of each thing that has a class of its own. */
const FULL = webhook('call_analyzed', {
  call_status: 'ended',
  transcript_object: SAID,
  recording_url: 'https://planted.example/audio.wav',
  collected_dynamic_variables: { planted: 'collected' },
  call_analysis: { call_summary: 'planted summary', call_successful: true },
});

describe.each([
  ['Retell', RETELL_FACTS],
  ['ElevenLabs', ELEVENLABS_FACTS],
  ['a full call', [FULL]],
])('the parts of what %s says', (_, facts) => {
  it('make the state again, at every step', () => {
    for (let count = 1; count <= facts.length; count += 1) {
      const state = stateOf(facts.slice(0, count));
      expect(joinState(stateParts(state))).toEqual(state);
    }
  });

  it('make the header again', () => {
    const { header } = project(stateOf(facts), SETTINGS);
    expect(joinHeader(headerParts(header))).toEqual(header);
  });
});

describe('the parts of a full call', () => {
  const state = stateOf([FULL]);
  const inState = (text: string) =>
    DATA_CLASSES.filter((dataClass) => JSON.stringify(stateParts(state)[dataClass] ?? null).includes(text));
  const inHeader = (text: string) =>
    DATA_CLASSES.filter((dataClass) =>
      JSON.stringify(headerParts(project(state, SETTINGS).header)[dataClass] ?? null).includes(text),
    );

  it.each([
    ['planted summary', ['analysis'], ['analysis']],
    ['collected', ['transcript'], ['transcript']],
    ['planted.example', ['audio'], []],
    ['turn_count', ['transcript'], []],
    ['+12025550142', ['record'], ['record']],
    ['"success"', ['record'], []],
    // The words themselves are in neither.
    ['planted words', [], []],
  ])('have %s in %j of the state and %j of the header', (text, ofState, ofHeader) => {
    expect([inState(text), inHeader(text)]).toEqual([
      text === 'collected' ? expect.arrayContaining(ofState) : ofState,
      text === 'collected' ? expect.arrayContaining(ofHeader) : ofHeader,
    ]);
  });

  it('are absent where there is nothing of a class', () => {
    const { record, ...others } = stateParts(stateOf([webhook('call_started')]));
    expect([Object.keys(record.registers).length > 0, others]).toEqual([true, {}]);
    expect(Object.keys(headerParts(project(stateOf([webhook('call_started')]), SETTINGS).header))).toEqual(['record']);
  });

  it('make a state without what is gone', () => {
    const { transcript: _, ...rest } = stateParts(state);
    const record = project(joinState(rest), SETTINGS);
    expect(record).toMatchObject({ turnCount: 0, header: { collected_variables: {}, summary: 'planted summary' } });
  });
});

describe('the reasons of a judgement', () => {
  const judged = (text: string | null, receivedAt: number): Fact => {
    const fact = webhook('call_analyzed', { call_status: 'ended', call_analysis: { call_successful: true } });
    if (fact.source === 'workflow') throw new Error('no webhook');
    const fields = { ...fact.claims.fields, ...(text !== null && { rationale: text }) };
    return { ...fact, receivedAt, claims: { ...fact.claims, fields } };
  };
  const rationaleOf = (facts: Fact[]) => project(stateOf(facts), SETTINGS).header.rationale;

  it('go with the judgement: one without reasons takes away those of the one before', () => {
    expect(rationaleOf([judged('because', 1), judged(null, 2)])).toBeNull();
    expect(rationaleOf([judged(null, 2), judged('because', 1)])).toBeNull();
    expect(rationaleOf([judged(null, 1), judged('because', 2)])).toBe('because');
  });

  it('stay when a later document does not judge', () => {
    const silent = webhook('call_ended', { call_status: 'ended' });
    expect(rationaleOf([judged('because', 1), { ...silent, receivedAt: 9 }])).toBe('because');
  });
});
