// Calls that a test or a program adds to the simulated Retell, seen through the official client.
import Retell from 'retell-sdk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  completeCall,
  END_REASONS,
  speechOf,
  startRetellSimulator,
  transcriptFields,
  webhookBody,
  type RetellCall,
  type RetellSimulator,
} from '../../simulators/retell/index.js';
import { readWav } from './wav.js';

const apiKey = 'key_test';
let simulator: RetellSimulator;
let client: Retell;

beforeEach(async () => {
  simulator = await startRetellSimulator({ apiKey });
  client = new Retell({ apiKey, baseURL: simulator.baseUrl });
});

afterEach(() => simulator.close());

const audioOf = async (url: string | undefined): Promise<Buffer> =>
  Buffer.from(await (await fetch(String(url))).arrayBuffer());

describe('addCall', () => {
  it('accepts calls with every end reason', async () => {
    for (const { reason, status } of END_REASONS) {
      const call: RetellCall = simulator.addCompleteCall({ disconnection_reason: reason });
      expect(await client.call.retrieve(call.call_id)).toMatchObject({
        call_status: status,
        disconnection_reason: reason,
      });
    }
    expect((await client.call.list({ include_total: true })).total).toBe(34);
  });

  it('accepts given speech', async () => {
    const speech = speechOf('x', [
      'A: The canary is KIWI-7.',
      { tool: 'look', arguments: { canary: 1 }, result: 'seen' },
    ]);
    const call = simulator.addCompleteCall({ ...transcriptFields(speech.items), duration_ms: speech.durationMs });
    expect((await client.call.retrieve(call.call_id)).transcript).toBe('Agent: The canary is KIWI-7.\n');
    expect(webhookBody('call_ended', call)).toContain('{\\"canary\\":1}');
    expect(readWav(await audioOf(call.recording_url)).durationMs).toBeCloseTo(speech.durationMs, 0);
  });

  it('stores any document as given', async () => {
    const whole = completeCall('x', {
      call_id: 'call_x',
      recording_url: undefined,
      surprise: [1, null],
      call_status: 'error',
    });
    simulator.addCall(whole);
    expect(await client.call.retrieve('call_x')).toEqual(whole);
  });
});
