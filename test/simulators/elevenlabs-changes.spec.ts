// Changes of conversations of the simulated ElevenLabs after their end, seen through the official client.
import { ElevenLabsClient } from '@elevenlabs/elevenlabs-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startElevenLabsSimulator, type ElevenLabsSimulator } from '../../simulators/elevenlabs/index.js';

const apiKey = 'xi_test';
let simulator: ElevenLabsSimulator;
let client: ElevenLabsClient;

beforeEach(async () => {
  simulator = await startElevenLabsSimulator({ apiKey, webhookSecret: 'wsec_test' });
  client = new ElevenLabsClient({ apiKey, baseUrl: simulator.baseUrl, maxRetries: 0 });
});

afterEach(() => simulator.close());

const conversations = () => client.conversationalAi.conversations;
const raw = async (path: string): Promise<unknown> =>
  (await fetch(`${simulator.baseUrl}${path}`, { headers: { 'xi-api-key': apiKey } })).json();

describe('changes after the end', () => {
  it('result from a new analysis and from a corrected transcript', async () => {
    const { conversation_id: id } = simulator.addCompleteConversation({});
    const before = await conversations().get(id);
    await conversations().analysis.run(id);
    const analysed = await conversations().get(id);
    expect(analysed.analysis?.transcriptSummary).not.toBe(before.analysis?.transcriptSummary);
    simulator.rewrite(id);
    expect(JSON.stringify((await conversations().get(id)).transcript)).toContain('(corrected)');
  });

  it('include documents that no client expects', async () => {
    simulator.faults.oddities = ['unknown_field', 'unknown_value', 'null'];
    const { conversation_id: id } = simulator.addCompleteConversation({});
    const got = await conversations().get(id);
    expect(got.metadata.conversationInitiationSource).toBe('carrier_pigeon');
    expect(await raw(`/v1/convai/conversations/${id}`)).toMatchObject({ agent_name: null, x_new_field: {} });
  });
});
