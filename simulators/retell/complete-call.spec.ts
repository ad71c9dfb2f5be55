import { describe, expect, it } from 'vitest';
import { completeCall, ongoingCall } from './complete-call.js';
import { END_REASONS } from './reasons.js';
import { scenarioOf } from './scenarios.js';

const context = { baseUrl: 'http://127.0.0.1:9002', nowMs: 1_795_000_000_000 };

describe('completeCall', () => {
  it('gives the same document for the same seed and a different one for another', () => {
    expect(completeCall('a', {}, context)).toEqual(completeCall('a', {}, context));
    expect(completeCall('a').call_id).not.toBe(completeCall('b').call_id);
  });

  it('is a complete phone call by default', () => {
    const call = completeCall('a', {}, context);
    expect(call).toMatchObject({ call_status: 'ended', call_type: 'phone_call', disconnection_reason: 'user_hangup' });
    expect(call.duration_ms).toBe((call.end_timestamp ?? 0) - (call.start_timestamp ?? 0));
    expect(call.recording_url).toBe(`http://127.0.0.1:9002/recordings/${call.call_id}.wav`);
    expect(call.transcript).toMatch(/^Agent: .+\nUser: /);
    expect(call.call_cost?.combined_cost).toBeCloseTo(
      (call.call_cost?.product_costs ?? []).reduce((sum, part) => sum + part.cost, 0),
    );
    expect([call.from_number, call.to_number].every((number) => /^\+1\d{3}55501\d\d$/.test(number ?? ''))).toBe(true);
    expect(call.call_analysis?.call_summary).not.toContain('{');
    expect(JSON.stringify(call)).not.toMatch(
      /\{(name|first|amount|date|reference|plan|city|agent|subject|colleague)\}/,
    );
  });

  it('has words in order and inside the call, for 200 seeds of traffic', () => {
    for (let index = 0; index < 200; index += 1) {
      const call = completeCall(`traffic ${index}`, scenarioOf(`traffic ${index}`), context);
      const words = (call.transcript_object ?? []).flatMap((item) => ('words' in item ? item.words : []));
      const times = words.flatMap((word) => [word.start, word.end]);
      expect(times).toEqual([...times].sort((a, b) => a - b));
      expect(times.at(-1) ?? 0).toBeLessThanOrEqual((call.duration_ms ?? 0) / 1000);
      expect(call.end_timestamp ?? 0).toBeLessThanOrEqual(context.nowMs);
      expect(call.duration_ms ?? 8000).toBeLessThanOrEqual(360_000);
    }
  });

  it.each(END_REASONS)('fits the reason $reason', ({ reason, status, connected }) => {
    const call = completeCall('reasons', { disconnection_reason: reason }, context);
    expect(call.call_status).toBe(status);
    expect('start_timestamp' in call).toBe(connected);
    expect('recording_url' in call).toBe(connected);
    expect('transcript' in call).toBe(connected);
    expect('transfer_destination' in call).toBe(reason === 'call_transfer');
    expect(call.call_analysis).toBeDefined();
  });

  it('has an access token and no numbers for a web call', () => {
    const call = completeCall('web', { call_type: 'web_call' });
    expect(call).not.toHaveProperty('from_number');
    expect(call).not.toHaveProperty('direction');
    expect(call).not.toHaveProperty('telephony_identifier');
    expect(call.access_token).toMatch(/^eyJ/);
  });

  it('uses any field as given and removes undefined ones', () => {
    const call = completeCall('shaped', {
      recording_url: undefined,
      call_status: 'on_fire',
      new_field: { a: null },
      agent_name: null,
    });
    expect(call).not.toHaveProperty('recording_url');
    expect(call).toMatchObject({ call_status: 'on_fire', new_field: { a: null }, agent_name: null });
  });

  it('adds a transcript without names and digits when personal data must not be stored', () => {
    const call = completeCall('pii', { data_storage_setting: 'everything_except_pii' });
    const scrubbed = JSON.stringify(call.scrubbed_transcript_with_tool_calls);
    expect(scrubbed).toContain('[person_name]');
    expect(scrubbed).not.toContain(call.retell_llm_dynamic_variables?.['customer_name']);
    expect(call.scrubbed_recording_url).toContain('_scrubbed.wav');
  });

  it('is cut short if it would end in the future', () => {
    const call = completeCall('cut', { start_timestamp: context.nowMs - 5000 }, context);
    expect(call.end_timestamp).toBe(context.nowMs);
    expect(call.duration_ms).toBe(5000);
  });
});

describe('ongoingCall', () => {
  it('has no fields that are only known after the end', () => {
    const call = ongoingCall('live', { metadata: { a: 1 } }, context);
    expect(call).toMatchObject({ call_status: 'ongoing', metadata: { a: 1 } });
    for (const field of [
      'end_timestamp',
      'duration_ms',
      'transcript',
      'recording_url',
      'call_analysis',
      'disconnection_reason',
    ]) {
      expect(call).not.toHaveProperty(field);
    }
  });
});

describe('END_REASONS', () => {
  it('has each of the 34 values once', () => {
    expect(new Set(END_REASONS.map(({ reason }) => reason)).size).toBe(34);
  });
});

describe('scenarioOf', () => {
  it('gives a realistic mix', () => {
    const calls = Array.from({ length: 600 }, (_, index) =>
      completeCall(`mix ${index}`, scenarioOf(`mix ${index}`), context),
    );
    const share = (test: (call: (typeof calls)[number]) => boolean) => calls.filter(test).length / calls.length;
    expect(share((call) => /_hangup/.test(call.disconnection_reason ?? ''))).toBeGreaterThan(0.5);
    expect(share((call) => call.call_status === 'not_connected')).toBeGreaterThan(0.06);
    expect(share((call) => call.call_status === 'error')).toBeLessThan(0.1);
    expect(share((call) => call.call_type === 'web_call')).toBeGreaterThan(0.04);
    expect(new Set(calls.map((call) => call.agent_id)).size).toBeGreaterThan(5);
    const lengths = calls.flatMap((call) => call.duration_ms ?? []);
    expect(Math.min(...lengths)).toBeGreaterThan(3000);
    expect(Math.max(...lengths)).toBeGreaterThan(150_000);
  });
});
