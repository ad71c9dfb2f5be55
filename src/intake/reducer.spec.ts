import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { elevenlabs } from '../providers/elevenlabs/index.js';
import { retell } from '../providers/retell/index.js';
import type { Json } from '../providers/provider-fact.js';
import type { Fact, StoredRecording, WorkflowFact } from './fact.js';
import { project } from './project.js';
import { EMPTY, reduce, type ConversationState } from './reducer.js';
import type { ConversationRecord } from './record.js';

const START = 1_760_000_000_000;
const SETTINGS = { deadlines: { analysis: 1800, transcript: 3600, audio: 86_400 }, defaultRegion: null };

const call = (more: Record<string, Json> = {}): Json => ({
  call_id: 'call_1',
  agent_id: 'agent_1',
  agent_version: 3,
  call_type: 'phone_call',
  call_status: 'ongoing',
  direction: 'inbound',
  from_number: '+12025550142',
  to_number: '+12025550100',
  start_timestamp: START,
  ...more,
});
const END = {
  call_status: 'ended',
  end_timestamp: START + 60_000,
  duration_ms: 60_000,
  disconnection_reason: 'user_hangup',
};
const SAID = [{ role: 'agent', content: 'Hello', words: [{ word: 'Hello', start: 0.4, end: 0.8 }] }];

let serial = 0;
const received = (): { receivedAt: number; hash: string } => {
  serial += 1;
  return { receivedAt: START + serial * 1000, hash: serial.toString(16).padStart(8, '0') };
};
const webhook = (event: string, more: Record<string, Json> = {}): Fact => ({
  ...received(),
  source: 'webhook',
  event,
  claims: retell.interpretWebhook({ event, call: call(more) }),
});
const record = (more: Record<string, Json> = {}): Fact => ({
  ...received(),
  source: 'record',
  event: 'record',
  claims: retell.interpretRecord(call(more)),
});
const statement = (said: WorkflowFact): Fact => ({
  ...received(),
  source: 'workflow',
  event: said.kind,
  statement: said,
});

const RECORDING: Extract<WorkflowFact, { kind: 'recording_stored' }> = {
  kind: 'recording_stored',
  recording: {
    id: 'r',
    variant: 'mixed',
    content_type: 'audio/wav',
    bytes: 9,
    duration_ms: null,
    object_key: 'k',
    created_at: START,
  },
};

/** Everything that Retell can say of one call, contradictions included. */
const RETELL_FACTS: Fact[] = [
  webhook('call_started'),
  webhook('transcript_updated', { transcript_object: SAID }),
  webhook('transfer_started', { transfer_destination: '+12025550177' }),
  webhook('transfer_cancelled', { transfer_destination: '+12025550177' }),
  webhook('call_ended', { ...END, transcript_object: SAID }),
  webhook('call_ended', { ...END, disconnection_reason: 'agent_hangup' }),
  webhook('call_analyzed', { ...END, call_analysis: { call_summary: 'one', call_successful: true } }),
  webhook('call_analyzed', {
    ...END,
    call_analysis: { call_summary: 'two', user_sentiment: 'Negative' },
    recording_url: 'http://a/b.wav',
  }),
  record({ ...END, call_analysis: { call_summary: 'three' }, metadata: { order: 'A-17' } }),
  record({ ...END, call_status: 'error', disconnection_reason: 'error_asr' }),
  record(),
  statement({ kind: 'lost', evidence: 'not_found' }),
  statement({ kind: 'part_absent', part: 'analysis', reason: 'deadline' }),
  statement({ kind: 'part_absent', part: 'audio', reason: 'deadline' }),
  statement(RECORDING),
  statement({ kind: 'record_unavailable', reason: 'not_found' }),
];

const item = (seconds: number, agentId: string, more: Record<string, Json> = {}): Json => ({
  ...{ role: 'agent', message: 'Hello', time_in_call_secs: seconds, agent_metadata: { agent_id: agentId } },
  ...more,
});
const handedOver = (id: string, result: Record<string, Json>): Json =>
  item(5, 'agent_1', { message: null, tool_results: [{ request_id: id, tool_name: 'transfer', result }] });
const conversation = (more: Record<string, Json> = {}, metadata: Record<string, Json> = {}): Json => ({
  conversation_id: 'conv_1',
  agent_id: 'agent_1',
  version_id: 'version_1',
  status: 'done',
  has_audio: true,
  transcript: [item(0, 'agent_1')],
  metadata: { start_time_unix_secs: START / 1000, call_duration_secs: 60, ...metadata },
  ...more,
});
const listened = (more: Record<string, Json> = {}, metadata: Record<string, Json> = {}): Fact => ({
  ...received(),
  source: 'record',
  event: 'record',
  claims: elevenlabs.interpretRecord(conversation(more, metadata)),
});
const told = (type: string, data: Json, recording?: StoredRecording): Fact => ({
  ...received(),
  source: 'webhook',
  event: type,
  claims: elevenlabs.interpretWebhook({ type, event_timestamp: START / 1000 + 90, data }),
  ...(recording && { stored: [recording] }),
});
const ANALYSIS = { call_successful: 'success', transcript_summary: 'one' };
const ZERO_RETENTION = { features_usage: { pii_zrm_agent: true } };

/** The same of ElevenLabs: lives, ends, handovers, audio from two sides, zero retention, a call that nobody took. */
const ELEVENLABS_FACTS: Fact[] = [
  listened({ status: 'initiated', transcript: [] }, { call_duration_secs: 0 }),
  listened({ status: 'in-progress' }, { call_duration_secs: 0 }),
  listened({ status: 'processing', analysis: null }),
  listened({ analysis: ANALYSIS, has_audio: false }),
  listened({ analysis: ANALYSIS, transcript: [item(0, 'agent_1'), item(9, 'agent_2')] }),
  listened({
    analysis: { ...ANALYSIS, transcript_summary: 'two' },
    transcript: [
      item(0, 'agent_1'),
      handedOver('tc_1', { result_type: 'transfer_to_agent_success', to_agent: 'agent_2' }),
      handedOver('tc_2', { result_type: 'transfer_to_number_error' }),
    ],
  }),
  listened({ transcript: [], analysis: null, has_audio: false }, ZERO_RETENTION),
  listened({ status: 'failed', transcript: [] }, { call_duration_secs: 0 }),
  told('post_call_transcription', conversation({ analysis: ANALYSIS }, ZERO_RETENTION)),
  told('post_call_transcription', conversation({ user_id: 'cust_42' }, { termination_reason: 'silence' })),
  told('post_call_audio', { conversation_id: 'conv_1', full_audio: 'SUQz' }, { ...RECORDING.recording, id: 's' }),
  told('call_initiation_failure', { conversation_id: 'conv_1', agent_id: 'agent_1', failure_reason: 'busy' }),
  statement({ kind: 'lost', evidence: 'not_found' }),
  statement({ kind: 'part_absent', part: 'audio', reason: 'deadline' }),
  statement(RECORDING),
];
const PROVIDERS = [
  ['Retell', RETELL_FACTS],
  ['ElevenLabs', ELEVENLABS_FACTS],
] as const;

interface Outcome {
  record: ConversationRecord;
  blobs: Record<string, unknown>;
}

/** Applies facts in batches, as intake does, with the content tables beside it. */
function applied(batches: Fact[][]): Outcome {
  let state: ConversationState = EMPTY;
  const blobs: Record<string, unknown> = {};
  for (const batch of batches) {
    const reduction = reduce(state, batch);
    // What is stored between two batches has been through JSON.
    state = JSON.parse(JSON.stringify(reduction.state)) as ConversationState;
    for (const [name, value] of reduction.blobs) blobs[name] = value;
  }
  return { record: project(state, SETTINGS), blobs };
}

const cut = (facts: Fact[], size: number): Fact[][] =>
  Array.from({ length: Math.ceil(facts.length / size) }, (_, index) => facts.slice(index * size, (index + 1) * size));

describe('reducer', () => {
  it.each(PROVIDERS)(
    'makes the same record of the same facts of %s, whatever the order, the batches and the repetitions',
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

  it.each(PROVIDERS)('never lets the status fall, in whatever order facts of %s come', (_, given) => {
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

  it('is completed by its analysis alone, when call_analyzed is all that ever comes', () => {
    const { record: outcome } = applied([
      [webhook('call_analyzed', { ...END, call_analysis: { call_successful: false } })],
    ]);
    expect(outcome).toMatchObject({
      status: 'completed',
      outcome: { value: 'failure' },
      completeness: { analysis: { state: 'present' } },
    });
  });

  it('waits for nothing when the call never connected', () => {
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

  it('lets the provider take back a conversation that was given up as lost', () => {
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

  it('fills in a part that was declared absent when it comes late', () => {
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

  it('has no new content when another document brings the same transcript', () => {
    const first = reduce(EMPTY, [webhook('call_ended', { ...END, transcript_object: SAID })]);
    expect(first.blobs.has('transcript')).toBe(true);
    const second = reduce(first.state, [record({ ...END, transcript_object: SAID })]);
    expect(second.blobs.has('transcript')).toBe(false);
    const third = reduce(second.state, [record({ ...END, transcript_object: [...SAID, ...SAID] })]);
    expect(third.blobs.has('transcript')).toBe(true);
  });
});
