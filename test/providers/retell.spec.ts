// How Retell's documents are interpreted, with documents from its simulator.
import { describe, expect, it } from 'vitest';
import { completeCall, END_REASONS, webhookBody } from '../../simulators/retell/index.js';
import { project } from '../../src/reducer/project.js';
import { EMPTY } from '../../src/reducer/conversation-state.js';
import { reduce } from '../../src/reducer/reducer.js';
import type { ConversationRecord } from '../../src/reducer/record.js';
import type { Json } from '../../src/providers/provider-fact.js';
import { retell } from '../../src/providers/retell/index.js';

const SETTINGS = { deadlines: { transcript: 3600, audio: 86_400, analysis: 1800 }, defaultRegion: null };

/** The record that one webhook produces. */
function recordOf(body: Json): ConversationRecord {
  const claims = retell.interpretWebhook(body);
  const fact = { source: 'webhook', event: 'call_ended', claims, receivedAt: 1_760_000_000_000, hash: 'h' } as const;
  return project(reduce(EMPTY, [fact]).state, SETTINGS);
}

const endedBy = (reason: string): ConversationRecord =>
  recordOf(JSON.parse(webhookBody('call_ended', completeCall(reason, { disconnection_reason: reason }))) as Json);

/** Documented reasons, and the design's list of failing categories. */
const COMPLETED = new Set([
  ...['customer_hangup', 'agent_hangup', 'transferred', 'voicemail', 'silence', 'max_duration', 'cancelled'],
  ...['human_takeover', 'unknown'],
]);

describe('the end of a Retell call', () => {
  it('has 34 documented reasons', () => {
    expect(END_REASONS).toHaveLength(34);
  });

  it.each(END_REASONS.map(({ reason, status, connected }) => ({ reason, status, connected })))(
    'by $reason ($status) is completed or failed according to its category and status',
    ({ reason, status, connected }) => {
      const record = endedBy(reason);
      const category = record.end?.category ?? '';
      expect(category).not.toBe('unknown');
      expect(record.status).toBe(status === 'ended' && COMPLETED.has(category) ? 'completed' : 'failed');
      expect(record.header.provider_reason).toBe(reason);
      // A call that never connected waits for no audio and no analysis; every other call does.
      const { state, reason: why } = record.completeness.audio;
      expect([state, why]).toEqual(connected ? ['pending', null] : ['absent', 'never_connected']);
    },
  );

  it('is completed and unknown if its reason is not known yet', () => {
    expect(endedBy('of_tomorrow')).toMatchObject({ status: 'completed', end: { category: 'unknown', party: null } });
  });
});

describe('the conversation of a webhook', () => {
  it('is the call and its agent', () => {
    expect(retell.conversationOf({ event: 'call_started', call: { call_id: 'c1', agent_id: 'a1' } })).toEqual({
      providerKind: 'call',
      providerId: 'c1',
      event: 'call_started',
      providerAgentId: 'a1',
    });
    expect(retell.conversationOf({ event: 'call_ended', call: { call_id: 'c1' } })).toMatchObject({
      providerAgentId: null,
    });
  });

  it.each<[string, Json]>([
    ['null', null],
    ['a number', 1],
    ['a list', []],
    ['an empty object', {}],
    ['an event alone', { event: 'call_started' }],
    ['a call that is no object', { event: 'call_started', call: 'c1' }],
    ['a call that is null', { event: 'call_started', call: null }],
    ['a call without an id', { event: 'call_started', call: {} }],
    ['an empty id', { event: 'call_started', call: { call_id: '' } }],
    ['an id that is a number', { event: 'call_started', call: { call_id: 7 } }],
    ['an event of tomorrow', { event: 'call_teleported', call: { call_id: 'c1' } }],
    ['an event that is no text', { event: ['call_started'], call: { call_id: 'c1' } }],
    ['a word that every object knows', { event: 'constructor', call: { call_id: 'c1' } }],
  ])('is null for %s', (_, body) => {
    expect(retell.conversationOf(body)).toBeNull();
  });
});

describe('a Retell call document', () => {
  it('keeps its record without tokens and signatures, at any depth', () => {
    const { record } = retell.interpretRecord({
      call_id: 'c1',
      call_status: 'ongoing',
      access_token: 'secret',
      transcript_with_tool_calls: [{ role: 'tool_call_invocation', thought_signature: 'secret', name: 'n' }],
      unknown_field: { deeper: [{ access_token: 'secret', kept: true }] },
    });
    expect(JSON.stringify(record)).not.toContain('secret');
    expect(record).toMatchObject({ unknown_field: { deeper: [{ kept: true }] } });
  });

  it('loses no other field if one has an unexpected type', () => {
    const claims = retell.interpretRecord({
      call_id: 'c1',
      call_status: 'ended',
      disconnection_reason: 'user_hangup',
      end_timestamp: 2,
      start_timestamp: 1,
      call_analysis: 'soon',
      call_cost: [],
      latency: 7,
      metadata: [1],
      duration_ms: '5',
      from_number: 49,
    });
    expect(claims).toMatchObject({ ended: { failed: false }, analysed: false });
    expect(claims.fields).toMatchObject({
      end: { category: 'customer_hangup' },
      metadata: { value: [1] },
      duration_ms: 1,
    });
  });

  it('distinguishes customer and agent by the direction', () => {
    const numbers = { call_id: 'c1', from_number: '+14155550101', to_number: '+14155550102' };
    expect(retell.interpretRecord({ ...numbers, direction: 'inbound' }).fields).toMatchObject({
      customer_number: '+14155550101',
      agent_number: '+14155550102',
    });
    expect(retell.interpretRecord({ ...numbers, direction: 'outbound' }).fields).toMatchObject({
      customer_number: '+14155550102',
      agent_number: '+14155550101',
    });
    expect(retell.interpretRecord(numbers).fields).not.toHaveProperty('customer_number');
  });
});
