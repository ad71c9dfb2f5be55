// Facts that providers and workflows can report about one conversation, contradictions included: for tests that the order of
// receipt does not matter.
import { elevenlabs } from '../../src/providers/elevenlabs/index.js';
import { retell } from '../../src/providers/retell/index.js';
import type { Json } from '../../src/providers/provider-fact.js';
import type { Fact, StoredRecording, WorkflowFact } from '../../src/reducer/fact.js';

const START = 1_760_000_000_000;

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
export const END = {
  call_status: 'ended',
  end_timestamp: START + 60_000,
  duration_ms: 60_000,
  disconnection_reason: 'user_hangup',
};
/** Fields that any document may lack. */
export const NOT_MENTIONED = { call_type: null, disconnection_reason: null };
export const SAID = [{ role: 'agent', content: 'Hello', words: [{ word: 'Hello', start: 0.4, end: 0.8 }] }];

let serial = 0;
const received = (): { receivedAt: number; hash: string } => {
  serial += 1;
  return { receivedAt: START + serial * 1000, hash: serial.toString(16).padStart(8, '0') };
};
export const webhook = (event: string, more: Record<string, Json> = {}): Fact => ({
  ...received(),
  source: 'webhook',
  event,
  claims: retell.interpretWebhook({ event, call: call(more) }),
});
export const record = (more: Record<string, Json> = {}): Fact => ({
  ...received(),
  source: 'record',
  event: 'record',
  claims: retell.interpretRecord(call(more)),
});
export const statement = (said: WorkflowFact): Fact => ({
  ...received(),
  source: 'workflow',
  event: said.kind,
  statement: said,
});

export const RECORDING: Extract<WorkflowFact, { kind: 'recording_stored' }> = {
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

const LINK = 'http://a/b.wav';

/** Everything that Retell can report about one call, contradictions included. */
export const RETELL_FACTS: Fact[] = [
  webhook('call_started'),
  webhook('transcript_updated', { transcript_object: SAID }),
  webhook('transfer_started', { transfer_destination: '+12025550177' }),
  webhook('transfer_cancelled', { transfer_destination: '+12025550177' }),
  webhook('transfer_started'),
  webhook('transfer_started', { transfer_destination: '+12025550177', metadata: { try: 2 } }),
  webhook('transfer_bridged', { transfer_destination: '+12025550178' }),
  webhook('call_ended', { ...END, disconnection_reason: 'call_transfer', transfer_destination: '+12025550177' }),
  webhook('transfer_ended', { ...END, disconnection_reason: 'call_transfer', transfer_end_timestamp: START + 90_000 }),
  webhook('call_ended', { ...END, transcript_object: SAID }),
  webhook('call_ended', { ...END, disconnection_reason: 'agent_hangup' }),
  webhook('call_analyzed', { ...END, call_analysis: { call_summary: 'one', call_successful: true } }),
  webhook('call_analyzed', {
    ...END,
    call_analysis: { call_summary: 'two', user_sentiment: 'Negative' },
    recording_url: LINK,
  }),
  record({ ...END, call_analysis: { call_summary: 'three' }, metadata: { order: 'A-17' } }),
  record({ ...END, call_status: 'error', disconnection_reason: 'error_asr' }),
  record({ ...END, ...NOT_MENTIONED, call_analysis: {}, call_cost: { combined_cost: 0 } }),
  webhook('call_ended', { ...END, ...NOT_MENTIONED, call_cost: { combined_cost: 7 } }),
  record(),
  statement({ kind: 'lost', evidence: 'not_found' }),
  statement({ kind: 'part_absent', part: 'analysis', reason: 'deadline' }),
  statement({ kind: 'part_absent', part: 'audio', reason: 'deadline' }),
  statement(RECORDING),
  statement({ kind: 'recording_unavailable', variant: 'mixed', source: LINK, reason: 'provider_answered_403' }),
  statement({ kind: 'record_unavailable', reason: 'not_found' }),
];

const item = (seconds: number, agentId: string, more: Record<string, Json> = {}): Json => ({
  role: 'agent',
  message: 'Hello',
  time_in_call_secs: seconds,
  agent_metadata: { agent_id: agentId },
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

/** The same for ElevenLabs: live, ended, transfers, audio from two sources, zero retention, a call that did not connect. */
export const ELEVENLABS_FACTS: Fact[] = [
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
      item(9, 'agent_3'),
    ],
  }),
  listened({ status: 'processing', transcript: [item(0, 'agent_1'), item(5, 'agent_1'), item(9, 'agent_2')] }),
  listened({ transcript: [], analysis: null, has_audio: false }, ZERO_RETENTION),
  listened({ status: 'failed', transcript: [] }, { call_duration_secs: 0 }),
  told('post_call_transcription', conversation({ analysis: ANALYSIS }, ZERO_RETENTION)),
  told('post_call_transcription', conversation({ user_id: 'cust_42' }, { termination_reason: 'silence' })),
  listened({ analysis: { transcript_summary: 'three' } }, { phone_call: null, text_only: false }),
  listened({ analysis: {}, status: null }, { cost_fiat: 0, sms: { direction: 'inbound' } }),
  told('post_call_audio', { conversation_id: 'conv_1', full_audio: 'SUQz' }, { ...RECORDING.recording, id: 's' }),
  told('call_initiation_failure', { conversation_id: 'conv_1', agent_id: 'agent_1', failure_reason: 'busy' }),
  statement({ kind: 'lost', evidence: 'not_found' }),
  statement({ kind: 'part_absent', part: 'audio', reason: 'deadline' }),
  statement(RECORDING),
];
