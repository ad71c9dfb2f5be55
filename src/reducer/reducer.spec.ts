import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ELEVENLABS_FACTS,
  END,
  NOT_MENTIONED,
  RECORDING,
  RETELL_FACTS,
  SAID,
  record,
  statement,
  webhook,
} from '../../test/support/facts.js';
import type { Claims, Json, Turn } from '../providers/provider-fact.js';
import type { Fact } from './fact.js';
import { project } from './project.js';
import { EMPTY, type ConversationState } from './conversation-state.js';
import { reduce } from './reducer.js';
import { valueOf } from './registers.js';
import type { ConversationRecord } from './record.js';

const SETTINGS = { deadlines: { analysis: 1800, transcript: 3600, audio: 86_400 }, defaultRegion: null };
const PROVIDERS = [
  ['Retell', RETELL_FACTS],
  ['ElevenLabs', ELEVENLABS_FACTS],
] as const;

interface Outcome {
  record: ConversationRecord;
  blobs: Record<string, unknown>;
}

/** Applies facts in batches, as intake does, and tracks the content tables. */
function applied(batches: Fact[][]): Outcome {
  let state: ConversationState = EMPTY;
  const blobs: Record<string, unknown> = {};
  for (const batch of batches) {
    const reduction = reduce(state, batch);
    // Between two batches the stored state is serialised as JSON.
    state = JSON.parse(JSON.stringify(reduction.state)) as ConversationState;
    for (const [name, value] of reduction.blobs) blobs[name] = value;
  }
  return { record: project(state, SETTINGS), blobs };
}

const cut = (facts: Fact[], size: number): Fact[][] =>
  Array.from({ length: Math.ceil(facts.length / size) }, (_, index) => facts.slice(index * size, (index + 1) * size));

describe('reducer', () => {
  it.each(PROVIDERS)(
    'makes the same record from the same facts of %s, whatever the order, batches and repetitions',
    (_, given) => {
      const orders = fc.record({
        some: fc.subarray([...given], { minLength: 1 }),
        seed: fc.infiniteStream(fc.nat()),
        size: fc.integer({ min: 1, max: 6 }),
        again: fc.array(fc.nat({ max: given.length - 1 }), { maxLength: 8 }),
      });
      fc.assert(
        fc.property(orders, ({ some, seed, size, again }) => {
          const repeated = [...some, ...again.map((index) => some[index % some.length] as Fact)];
          const keys = repeated.map((fact) => [seed.next().value as number, fact] as const);
          const shuffled = keys.sort(([a], [b]) => a - b).map(([, fact]) => fact);
          expect(applied(cut(shuffled, size))).toEqual(applied([some]));
        }),
        { numRuns: 400 },
      );
    },
  );

  it.each(PROVIDERS)('never lets the status fall, in any order of facts of %s', (_, given) => {
    const rank = { ringing: 0, active: 1, transferring: 1, completed: 2, failed: 2 };
    fc.assert(
      fc.property(fc.shuffledSubarray([...given], { minLength: 1 }), (facts) => {
        let state: ConversationState = EMPTY;
        let reached = 0;
        for (const fact of facts) {
          state = reduce(state, [fact]).state;
          const now = rank[project(state, SETTINGS).status];
          expect(now).toBeGreaterThanOrEqual(reached);
          reached = now;
        }
      }),
      { numRuns: 300 },
    );
  });

  it('keeps the end when call_started comes after call_ended', () => {
    const { record: outcome } = applied([[webhook('call_ended', END)], [webhook('call_started')]]);
    expect(outcome).toMatchObject({
      status: 'completed',
      recordState: 'settling',
      durationMs: 60_000,
      end: { category: 'customer_hangup' },
    });
  });

  it('is completed by call_analyzed alone, if nothing else ever comes', () => {
    const { record: outcome } = applied([
      [webhook('call_analyzed', { ...END, call_analysis: { call_successful: false } })],
    ]);
    expect(outcome).toMatchObject({
      status: 'completed',
      outcome: { value: 'failure' },
      completeness: { analysis: { state: 'present' } },
    });
  });

  it('waits for nothing if the call never connected', () => {
    const { record: outcome } = applied([
      [
        webhook('call_ended', { call_status: 'not_connected', disconnection_reason: 'dial_busy' }),
        record({ call_status: 'not_connected', disconnection_reason: 'dial_busy' }),
      ],
    ]);
    const absent = { state: 'absent', reason: 'never_connected', dueAt: null };
    expect(outcome).toMatchObject({
      status: 'failed',
      recordState: 'settled',
      completeness: { transcript: absent, audio: absent, analysis: absent },
    });
  });

  it('lets the provider revive a conversation that was declared lost', () => {
    const lost = applied([[webhook('call_started'), statement({ kind: 'lost', evidence: 'not_found' })]]).record;
    expect(lost).toMatchObject({
      status: 'failed',
      recordState: 'settled',
      end: { category: 'lost' },
      lostEvidence: 'not_found',
    });
    const found = applied([
      [webhook('call_started'), statement({ kind: 'lost', evidence: 'not_found' }), webhook('call_ended', END)],
    ]).record;
    expect(found).toMatchObject({
      status: 'completed',
      recordState: 'settling',
      end: { category: 'customer_hangup' },
      lostEvidence: null,
    });
  });

  it('offers a refused recording again only once the provider names another location', () => {
    const refused = {
      kind: 'recording_unavailable',
      variant: 'mixed',
      source: 'http://a/1',
      reason: 'deadline',
    } as const;
    const facts = [webhook('call_ended', { ...END, recording_url: 'http://a/1' }), statement(refused)];
    expect(applied([facts]).record.fetchable).toEqual([]);
    const moved = webhook('call_analyzed', { ...END, call_analysis: {}, recording_url: 'http://a/2' });
    expect(applied([[...facts, moved]]).record.fetchable).toEqual(['mixed']);
  });

  it('fills in a late part that was declared absent', () => {
    const facts = [webhook('call_ended', END), statement({ kind: 'part_absent', part: 'audio', reason: 'deadline' })];
    expect(applied([facts]).record.completeness.audio).toEqual({ state: 'absent', reason: 'deadline', dueAt: null });
    expect(applied([[...facts, statement(RECORDING)]]).record.completeness.audio.state).toBe('present');
  });

  it('keeps what a poorer document leaves out', () => {
    const { record: outcome, blobs } = applied([
      [webhook('call_analyzed', { ...END, call_analysis: { call_summary: 'kept' }, transcript_object: SAID })],
      [record({ ...END, data_storage_setting: 'basic_attributes_only' })],
    ]);
    expect(outcome.header.summary).toBe('kept');
    expect(blobs['transcript']).toHaveLength(1);
  });

  it('keeps the longer of two live transcripts, in either order, until the call has ended', () => {
    const saidUntil = (...ends: number[]): Json[] =>
      ends.map((end) => ({ role: 'user', content: `until ${end}`, words: [{ word: 'word', start: 0, end }] }));
    const shown = (...transcripts: Json[][]): unknown => {
      const facts = transcripts.map((items) => [webhook('transcript_updated', { transcript_object: items })]);
      return (applied(facts).blobs['transcript'] as Turn[]).map(({ text }) => text);
    };
    expect(shown(saidUntil(1, 2), saidUntil(1))).toEqual(['until 1', 'until 2']);
    expect(shown(saidUntil(1), saidUntil(1, 2))).toEqual(['until 1', 'until 2']);
    // The last turn grows while it is spoken; a tool call adds a turn without words.
    expect(shown(saidUntil(1, 3), saidUntil(1, 2))).toEqual(['until 1', 'until 3']);
    const tool = { role: 'tool_call_invocation', tool_call_id: 't', name: 'look_up', arguments: '{}' };
    expect(shown([...saidUntil(1), tool], saidUntil(1))).toEqual(['until 1', null]);
    const { blobs } = applied([
      [webhook('call_ended', { ...END, transcript_object: SAID })],
      [webhook('transcript_updated', { transcript_object: saidUntil(1, 2, 3) })],
    ]);
    expect((blobs['transcript'] as Turn[]).map(({ text }) => text)).toEqual(['Hello']);
  });

  it('keeps what a later document does not mention', () => {
    const whole = { ...END, call_analysis: { call_successful: true }, call_cost: { combined_cost: 12 } };
    const later = { ...END, ...NOT_MENTIONED, call_analysis: {}, call_cost: {} };
    const { record: outcome } = applied([[webhook('call_analyzed', whole)], [record(later)]]);
    expect(outcome).toMatchObject({
      channel: 'phone',
      end: { category: 'customer_hangup' },
      outcome: { value: 'success' },
      cost: { amount_micros: 120_000 },
    });
  });

  it('does not take zero as a price before the final bill', () => {
    const costOf = (cents: number, more: Record<string, Json> = {}): unknown =>
      applied([[webhook('call_ended', { ...END, call_cost: { combined_cost: cents }, ...more })]]).record.cost;
    expect(costOf(0)).toBeNull();
    expect(costOf(3)).toEqual({ amount_micros: 30_000, currency: 'USD' });
    expect(costOf(0, { call_analysis: {} })).toEqual({ amount_micros: 0, currency: 'USD' });
    expect(costOf(0, { call_status: 'not_connected' })).toEqual({ amount_micros: 0, currency: 'USD' });
  });

  it('is not lost if the provider reports an end without a reason', () => {
    const facts = [
      statement({ kind: 'lost', evidence: 'not_found' }),
      webhook('call_ended', { ...END, ...NOT_MENTIONED }),
    ];
    const { record: outcome } = applied([facts]);
    expect(outcome).toMatchObject({ status: 'completed', end: { category: 'unknown' }, lostEvidence: null });
  });

  it('knows which mapping read the stored document', () => {
    const whole = webhook('call_analyzed', { ...END, call_analysis: {}, transcript_object: SAID });
    const { registers } = reduce(EMPTY, [whole, record(END)]).state;
    expect(valueOf(registers, 'record')).toEqual({ mapping: (whole as { claims: Claims }).claims.mappingVersion });
  });

  it('has no new content if another document brings the same transcript', () => {
    const first = reduce(EMPTY, [webhook('call_ended', { ...END, transcript_object: SAID })]);
    expect(first.blobs.has('transcript')).toBe(true);
    const second = reduce(first.state, [record({ ...END, transcript_object: SAID })]);
    expect(second.blobs.has('transcript')).toBe(false);
    const third = reduce(second.state, [record({ ...END, transcript_object: [...SAID, ...SAID] })]);
    expect(third.blobs.has('transcript')).toBe(true);
  });
});
