// Erased classes outrank everything, in any order of facts.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ELEVENLABS_FACTS, END, RETELL_FACTS, SAID, statement, webhook } from '../../test/support/facts.js';
import type { Part } from '../providers/provider-fact.js';
import { EMPTY, stateParts, type ConversationState } from './conversation-state.js';
import { PARTS } from './completeness.js';
import type { Fact } from './fact.js';
import { entriesOf } from './journal-entries.js';
import { project } from './project.js';
import { reduce, withDestroyedKeys } from './reducer.js';

const SETTINGS = { deadlines: { analysis: 1800, transcript: 3600, audio: 86_400 }, defaultRegion: null };
const erased = (part: Part, reason = 'expired'): Fact =>
  statement({ kind: 'class_erased', class: part, reason, at: 1_760_000_100_000 });
const ERASURES = [...PARTS.map((part) => erased(part)), erased('audio', 'erasure'), erased('transcript', 'erasure')];

/** The state after batches of facts, and which content was to be stored after a batch that erased its class or a later one. */
function applied(batches: Fact[][]): { state: ConversationState; storedTooLate: string[] } {
  let state = EMPTY;
  const storedTooLate: string[] = [];
  for (const batch of batches) {
    const reduction = reduce(state, batch);
    state = JSON.parse(JSON.stringify(reduction.state)) as ConversationState;
    if ('erased.transcript' in state.registers && reduction.blobs.has('transcript')) storedTooLate.push('transcript');
  }
  return { state, storedTooLate };
}

describe.each([
  ['Retell', RETELL_FACTS],
  ['ElevenLabs', ELEVENLABS_FACTS],
])('what was erased of a conversation at %s', (_, given) => {
  const facts = [...given, ...ERASURES];
  const orders = fc.record({
    some: fc.subarray(facts, { minLength: 1 }),
    seed: fc.infiniteStream(fc.nat()),
    size: fc.integer({ min: 1, max: 6 }),
    again: fc.array(fc.nat({ max: facts.length - 1 }), { maxLength: 8 }),
  });

  it('never comes back: the same state for every order, batch and repetition of facts', () => {
    fc.assert(
      fc.property(orders, ({ some, seed, size, again }) => {
        const repeated = [...some, ...again.map((index) => some[index % some.length] as Fact)];
        const keys = repeated.map((fact) => [seed.next().value as number, fact] as const);
        const shuffled = keys.sort(([a], [b]) => a - b).map(([, fact]) => fact);
        const batches = Array.from({ length: Math.ceil(shuffled.length / size) }, (__, index) =>
          shuffled.slice(index * size, (index + 1) * size),
        );
        const { state, storedTooLate } = applied(batches);
        expect(state).toEqual(applied([some]).state);
        expect(storedTooLate).toEqual([]);
        const record = project(state, SETTINGS);
        for (const fact of some) {
          if (fact.source !== 'workflow' || fact.statement.kind !== 'class_erased') continue;
          expect(record.completeness[fact.statement.class].state).toBe('erased');
          expect(stateParts(state)[fact.statement.class]).toBeUndefined();
        }
      }),
      { numRuns: 400 },
    );
  });

  it('costs the other classes nothing', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...given], { minLength: 1 }), fc.constantFrom(...PARTS), (some, part) => {
        const parts = stateParts(reduce(EMPTY, some).state);
        const { [part]: __, ...others } = stateParts(reduce(EMPTY, [erased(part), ...some]).state);
        const { [part]: ___, ...before } = parts;
        const key = `erased.${part}`;
        const { [key]: ____, ...registers } = others.record.registers;
        expect({ ...others, record: registers }).toEqual({ ...before, record: before.record.registers });
      }),
      { numRuns: 200 },
    );
  });
});

describe('an erased class', () => {
  const full = webhook('call_analyzed', {
    ...END,
    transcript_object: SAID,
    recording_url: 'http://a/b.wav',
    call_analysis: { call_summary: 'one', call_successful: true, user_sentiment: 'Negative' },
  });
  const recordOf = (...facts: Fact[]) => project(reduce(EMPTY, facts).state, SETTINGS);

  it('is erased with its reason, whatever else is known of it, also while the conversation lives', () => {
    expect(recordOf(full, erased('analysis')).completeness.analysis).toEqual({
      state: 'erased',
      reason: 'expired',
      dueAt: null,
    });
    const live = recordOf(webhook('call_started'), erased('transcript'));
    expect([live.status, live.completeness.transcript.state]).toEqual(['active', 'erased']);
    const absent = statement({ kind: 'part_absent', part: 'audio', reason: 'deadline' });
    expect(recordOf(absent, erased('audio'), full).completeness.audio.state).toBe('erased');
  });

  it('leaves outcome and sentiment, without the reasons of the judgement', () => {
    const record = recordOf(full, erased('analysis'));
    expect(record).toMatchObject({ outcome: { value: 'success' }, sentiment: { label: 'negative' } });
    expect(record.header).toMatchObject({ title: null, summary: null, rationale: null });
  });

  it('offers no recording to be fetched', () => {
    expect(recordOf(full).fetchable).toEqual(['mixed']);
    expect(recordOf(erased('audio'), full)).toMatchObject({ fetchable: [], recordings: [] });
  });

  it('has an entry in the journal, once', () => {
    const [before, after] = [recordOf(full), recordOf(full, erased('transcript'))];
    const entries = entriesOf(before, after, [], false);
    expect(entries).toMatchObject([{ action: 'part.erased', reason: 'transcript: expired' }]);
    expect(entriesOf(after, after, [], false)).toEqual([]);
  });

  it('is told by its destroyed key as well, until a fact says why', () => {
    const state = withDestroyedKeys(reduce(EMPTY, [full]).state, ['audio'], 1_760_000_000_000);
    expect(project(state, SETTINGS).completeness.audio).toMatchObject({ state: 'erased', reason: 'key_destroyed' });
    const told = reduce(state, [erased('audio')]).state;
    expect(project(told, SETTINGS).completeness.audio.reason).toBe('expired');
    expect(withDestroyedKeys(told, ['audio'], 1).registers).toEqual(told.registers);
  });
});
