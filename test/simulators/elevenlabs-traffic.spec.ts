// Traffic and webhooks of the simulated ElevenLabs, received by a plain HTTP server.
import { ElevenLabsClient } from '@elevenlabs/elevenlabs-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  startElevenLabsSimulator,
  type Conversation,
  type ElevenLabsSimulator,
} from '../../simulators/elevenlabs/index.js';
import type { ConversationNotes } from '../../simulators/elevenlabs/conversations.js';
import { ElevenLabsTraffic, type ElevenLabsTrafficOptions } from '../../simulators/elevenlabs/traffic.js';
import { readMp3 } from './mp3.js';
import { startReceiver, type Receiver } from './receiver.js';

const webhookSecret = 'wsec_traffic';
const apiKey = 'xi_traffic';
let simulator: ElevenLabsSimulator;
let receiver: Receiver;

beforeEach(async () => {
  const webhooks = { retries: true, retryDelaysMs: [5, 5, 5, 5] };
  simulator = await startElevenLabsSimulator({ apiKey, webhookSecret, webhooks });
  receiver = await startReceiver();
});

afterEach(async () => {
  await simulator.close();
  await receiver.close();
});

const traffic = (options: Partial<ElevenLabsTrafficOptions>) =>
  new ElevenLabsTraffic({
    simulator,
    webhookUrl: receiver.url,
    seed: 'spec',
    perMinute: 60_000,
    speed: 2000,
    history: 0,
    disorder: 0,
    maxConversations: 40,
    ...options,
  });
const client = () => new ElevenLabsClient({ apiKey, baseUrl: simulator.baseUrl });
const of = (event: string) => receiver.received.filter((webhook) => webhook.event === event);

describe('ElevenLabsTraffic', () => {
  it('announces each conversation once it is over, signed, with the same data as its API', async () => {
    const running = traffic({});
    running.start();
    await running.idle();
    const told = [...of('post_call_transcription'), ...of('call_initiation_failure')].map(({ id }) => id);
    expect(running.counts).toMatchObject({ conversations: 40, delivered: receiver.received.length, failed: 0 });
    expect(new Set(told).size).toBe(40);
    expect(told).toHaveLength(40);
    for (const { raw, signature } of receiver.received) {
      await client().webhooks.constructEvent(raw, signature, webhookSecret);
    }
    for (const { document, id } of of('post_call_transcription')) {
      const got = await client().conversationalAi.conversations.get(id);
      expect(document).toMatchObject({ status: got.status, agent_id: got.agentId });
      expect(got.metadata.startTimeUnixSecs + got.metadata.callDurationSecs).toBeLessThanOrEqual(Date.now() / 1000);
    }
    for (const { document } of of('post_call_audio')) {
      const audio = Buffer.from(String(document['full_audio']), 'base64');
      expect(readMp3(audio).durationMs).toBeGreaterThan(1000);
    }
  });

  it('has a realistic mix', async () => {
    const running = traffic({ maxConversations: 0, history: 400, webhookUrl: 'http://127.0.0.1:1/' });
    running.start();
    await running.stop();
    const heads = simulator.conversations
      .heads()
      .map(({ head, notes }): Conversation & ConversationNotes => ({ ...head, ...notes }));
    const share = (test: (head: (typeof heads)[number]) => boolean) => heads.filter(test).length / heads.length;
    expect(share(({ status }) => status === 'failed')).toBeGreaterThan(0.02);
    expect(share(({ has_audio: hasAudio }) => hasAudio)).toBeGreaterThan(0.5);
    expect(share(({ visited_agents: visited }) => Array.isArray(visited) && visited.length > 1)).toBeGreaterThan(0.03);
    expect(share(({ toolNames }) => toolNames.includes('transfer_to_number'))).toBeGreaterThan(0.02);
    expect(new Set(heads.map(({ metadata }) => metadata['main_language'])).size).toBe(4);
    expect(new Set(heads.map(({ environment }) => environment))).toEqual(new Set(['production', 'staging']));
    const channels = new Set(heads.map(({ metadata }) => metadata['conversation_initiation_source']));
    expect(channels.size).toBe(6);
  });

  it('duplicates and omits webhooks and sends audio first, if disorder is set', async () => {
    const running = traffic({ disorder: 1, maxConversations: 40 });
    running.start();
    await running.idle();
    const transcribed = of('post_call_transcription').map(({ id }) => id);
    expect(new Set(transcribed).size).toBeLessThan(transcribed.length);
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBeLessThan(40);
    const first = new Map(receiver.received.toReversed().map(({ id, event }) => [id, event]));
    expect([...first.values()]).toContain('post_call_audio');
  });
});

describe('retries', () => {
  const send = async (type: string, statuses: number[], isRetried = true) => {
    const { conversation_id: id } = simulator.addCompleteConversation();
    receiver.statuses.push(...statuses);
    return simulator.sender.send(receiver.url, type, simulator.webhookBody(type, id), undefined, isRetried);
  };

  it('follow 5xx, 429 and 408 for the transcription only, with the same body', async () => {
    expect(await send('post_call_transcription', [500, 429, 408])).toEqual({ status: 200, attempts: 4 });
    expect(new Set(receiver.received.map(({ raw }) => raw)).size).toBe(1);
    expect(await send('post_call_transcription', [404])).toEqual({ status: 404, attempts: 1 });
    expect(await send('post_call_audio', [500])).toEqual({ status: 500, attempts: 1 });
    expect(await send('post_call_transcription', [500, 500, 500, 500, 503])).toEqual({ status: 503, attempts: 5 });
    expect(await send('post_call_transcription', [500], false)).toEqual({ status: 500, attempts: 1 });
  });

  it('are off by default', async () => {
    const plain = await startElevenLabsSimulator();
    expect(await plain.sender.send('http://127.0.0.1:1/', 'post_call_transcription', '{}')).toEqual({
      status: 0,
      attempts: 1,
    });
    await plain.close();
  });
});
