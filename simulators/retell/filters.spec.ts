import { describe, expect, it } from 'vitest';
import { completeCall } from './complete-call.js';
import { listCallsBody, matches } from './filters.js';

const call = completeCall('filtered', {
  agent_id: 'agent_x',
  agent_version: 3,
  start_timestamp: 1000,
  end_timestamp: 61_000,
  from_number: '+12025550142',
  metadata: { tier: 'gold', seats: 4 },
});

const check = (filter: unknown, attributes = {}): boolean =>
  matches({ call, attributes }, listCallsBody.parse({ filter_criteria: filter }).filter_criteria ?? {});

describe('matches', () => {
  it('compares numbers and ranges', () => {
    expect(check({ start_timestamp: { type: 'number', op: 'ge', value: 1000 } })).toBe(true);
    expect(check({ start_timestamp: { type: 'number', op: 'gt', value: 1000 } })).toBe(false);
    expect(check({ end_timestamp: { type: 'range', op: 'bt', value: [0, 61_000] } })).toBe(true);
    expect(check({ duration_ms: { type: 'number', op: 'eq', value: 60_000 } })).toBe(true);
  });

  it('compares strings and enumerations', () => {
    expect(check({ from_number: { type: 'string', op: 'ew', value: '0142' } })).toBe(true);
    expect(check({ from_number: { type: 'string', op: 'ne', value: '+12025550142' } })).toBe(false);
    expect(check({ call_status: { type: 'enum', op: 'in', value: ['ended', 'error'] } })).toBe(true);
    expect(check({ call_status: { type: 'enum', op: 'in', value: ['ongoing'] } })).toBe(false);
  });

  it('treats agents as alternatives, with their versions', () => {
    expect(check({ agent: [{ agent_id: 'other' }, { agent_id: 'agent_x' }] })).toBe(true);
    expect(check({ agent: [{ agent_id: 'agent_x', version: [1, 2] }] })).toBe(false);
  });

  it('looks into metadata, attributes and analysis', () => {
    expect(check({ metadata: [{ key: 'tier', type: 'string', op: 'eq', value: 'gold' }] })).toBe(true);
    expect(check({ metadata: [{ key: 'region', type: 'present', op: 'np' }] })).toBe(true);
    expect(check({ metadata: [{ key: 'seats', type: 'number', op: 'gt', value: 4 }] })).toBe(false);
    expect(check({ custom_attributes: [{ key: 'vip', type: 'boolean', op: 'eq', value: true }] }, { vip: true })).toBe(
      true,
    );
    expect(check({ in_voicemail: { type: 'boolean', op: 'eq', value: false } })).toBe(true);
  });

  it('requires all criteria', () => {
    const cheap = { type: 'number', op: 'lt', value: 1000 };
    expect(check({ combined_cost: cheap, call_type: { type: 'enum', op: 'in', value: ['phone_call'] } })).toBe(true);
    expect(check({ combined_cost: cheap, call_type: { type: 'enum', op: 'in', value: ['web_call'] } })).toBe(false);
  });
});

describe('listCallsBody', () => {
  it('rejects the status registered and unknown criteria, as Retell does', () => {
    const status = { call_status: { type: 'enum', op: 'in', value: ['registered'] } };
    expect(listCallsBody.safeParse({ filter_criteria: status }).success).toBe(false);
    expect(listCallsBody.safeParse({ filter_criteria: { updated_since: 1 } }).success).toBe(false);
  });
});
