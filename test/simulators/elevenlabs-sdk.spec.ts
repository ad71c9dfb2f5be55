// The official client against the simulated ElevenLabs: it must not notice a difference from the real one.
import { ElevenLabsClient, ElevenLabsError } from '@elevenlabs/elevenlabs-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  completeConversation,
  ENDS,
  signBody,
  startElevenLabsSimulator,
  type ElevenLabsSimulator,
} from '../../simulators/elevenlabs/index.js';
import { readMp3 } from './mp3.js';

const apiKey = 'xi_test';
const webhookSecret = 'wsec_test';
let simulator: ElevenLabsSimulator;
let client: ElevenLabsClient;

beforeEach(async () => {
  simulator = await startElevenLabsSimulator({ apiKey, webhookSecret });
  client = new ElevenLabsClient({ apiKey, baseUrl: simulator.baseUrl, maxRetries: 0 });
});

afterEach(() => simulator.close());

const conversations = () => client.conversationalAi.conversations;
const refusedWith = async (work: PromiseLike<unknown>) => {
  const error: unknown = await Promise.resolve(work).catch((cause: unknown) => cause);
  return error instanceof ElevenLabsError ? error.statusCode : error;
};
const raw = async (path: string) => {
  const response = await fetch(`${simulator.baseUrl}${path}`, { headers: { 'xi-api-key': apiKey } });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const audioOf = async (id: string) =>
  Buffer.from(await new Response(await conversations().audio.get(id)).arrayBuffer());
const webhook = z.looseObject({ type: z.string(), event_timestamp: z.number(), data: z.looseObject({}) });
const dataOf = (body: string) => webhook.parse(JSON.parse(body)).data;

describe('conversations.get', () => {
  it('returns the whole conversation for every end reason and channel', async () => {
    for (const { outcome, status, connected } of ENDS) {
      const { conversation_id: id } = simulator.addCompleteConversation({}, { outcome, handover: true });
      const got = await conversations().get(id);
      expect(got).toMatchObject({ status, hasAudio: connected });
      expect(got.transcript.length > 0).toBe(connected);
    }
    for (const channel of ['twilio', 'sip', 'web', 'chat', 'sms', 'whatsapp'] as const) {
      const { conversation_id: id } = simulator.addCompleteConversation({}, { channel });
      const { metadata, hasAudio } = await conversations().get(id);
      const isText = channel === 'chat' || channel === 'sms' || channel === 'whatsapp';
      expect({ text: metadata.textOnly, hasAudio }).toEqual({ text: isText, hasAudio: !isText });
      expect(metadata.phoneCall?.type).toBe({ twilio: 'twilio', sip: 'sip_trunking' }[channel as string]);
    }
  });

  it('goes from initiated to done, with the fields of each state', async () => {
    const { conversation_id: id } = simulator.addConversation({ status: 'initiated' });
    expect(await conversations().get(id)).toMatchObject({ status: 'initiated', transcript: [], hasAudio: false });
    simulator.conversations.update(id, { status: 'in-progress' });
    const live = await conversations().get(id);
    expect(live).toMatchObject({ status: 'in-progress', metadata: { callDurationSecs: 0 } });
    simulator.endConversation(id, {}, { outcome: 'agent_hangup' });
    const processing = await conversations().get(id);
    expect(processing).toMatchObject({ status: 'processing', hasAudio: false });
    expect(processing.analysis).toBeUndefined();
    expect(await refusedWith(conversations().audio.get(id))).toBe(404);
    simulator.finish(id, { analysis: { call_successful: 'failure' } });
    const done = await conversations().get(id);
    expect(done).toMatchObject({ status: 'done', hasAudio: true, analysis: { callSuccessful: 'failure' } });
    expect(done.metadata.startTimeUnixSecs).toBe(live.metadata.startTimeUnixSecs);
    expect(done.metadata.startTimeUnixSecs + done.metadata.callDurationSecs).toBeLessThanOrEqual(Date.now() / 1000);
  });

  it('contains a transfer between agents inside one conversation', async () => {
    const { conversation_id: id, agent_id: first } = simulator.addCompleteConversation({}, { handover: true });
    const { body } = await raw(`/v1/convai/conversations/${id}`);
    const got = await conversations().get(id);
    const second = got.visitedAgents?.[1]?.agentId;
    expect(got.agentId).toBe(first);
    expect(new Set(got.transcript.flatMap((item) => item.agentMetadata?.agentId ?? []))).toEqual(
      new Set([first, second]),
    );
    expect(JSON.stringify(body['transcript'])).toContain(
      `"result_type":"transfer_to_agent_success","status":"success","from_agent":"${first}","to_agent":"${second}"`,
    );
    expect(got.analysis?.scoped).toHaveLength(3);
  });

  it('links tool calls and results by their request id', () => {
    const ids = (name: 'tool_calls' | 'tool_results') =>
      Array.from({ length: 20 }, (_, index) => completeConversation(`tools ${index}`, {}, { outcome: 'transferred' }))
        .flatMap((conversation) => conversation.transcript)
        .flatMap((item) => (item[name] ?? []).map((tool) => tool.request_id));
    expect(ids('tool_calls').length).toBeGreaterThan(20);
    expect(ids('tool_results').sort()).toEqual(ids('tool_calls').sort());
  });

  it('keeps nothing under zero retention, and sends everything by webhook', async () => {
    const { conversation_id: id } = simulator.addCompleteConversation({}, { zeroRetention: true });
    const { body } = await raw(`/v1/convai/conversations/${id}`);
    expect(body).toMatchObject({ transcript: [], analysis: null, has_audio: false, metadata: { phone_call: null } });
    expect(await conversations().get(id)).toMatchObject({ metadata: { featuresUsage: { piiZrmAgent: true } } });
    const data = dataOf(simulator.webhookBody('post_call_transcription', id));
    expect(data['transcript']).not.toEqual([]);
    expect(data).toMatchObject({ metadata: { phone_call: { type: 'twilio' } } });
  });

  it('refuses a wrong key and an unknown conversation, and fails as configured', async () => {
    const { conversation_id: id } = simulator.addCompleteConversation({});
    const stranger = new ElevenLabsClient({ apiKey: 'wrong', baseUrl: simulator.baseUrl, maxRetries: 0 });
    expect(await refusedWith(stranger.conversationalAi.conversations.get(id))).toBe(401);
    expect(await refusedWith(conversations().get('conv_none'))).toBe(404);
    simulator.faults.getStatus.push(429, 500, 200);
    simulator.faults.retryAfterSeconds = 0;
    expect(await refusedWith(conversations().get(id))).toBe(429);
    expect((await conversations().get(id, {}, { maxRetries: 1 })).conversationId).toBe(id);
    simulator.faults.resetConnections = 1;
    expect(await refusedWith(conversations().get(id))).toBeUndefined();
    expect(simulator.counts.of('get', id)).toBe(1);
  });
});

describe('conversations.list', () => {
  const base = 1_790_000_000;

  beforeEach(() => {
    for (let index = 0; index < 7; index += 1) {
      const agentId = index % 2 === 0 ? 'agent_even' : 'agent_odd';
      simulator.addCompleteConversation({
        conversation_id: `conv_${index}`,
        agent_id: agentId,
        metadata: { start_time_unix_secs: base + index * 1000 },
      });
    }
    simulator.addConversation({ conversation_id: 'conv_live', metadata: { start_time_unix_secs: base + 50_000 } });
  });

  const ids = async (query: Record<string, unknown>) =>
    (await conversations().list({ ...query })).conversations.map((item) => item.conversationId);

  it('returns items with sentiment, and zeros for running conversations', async () => {
    const { conversations: items, hasMore } = await conversations().list({ summaryMode: 'include' });
    expect(hasMore).toBe(false);
    expect(items).toHaveLength(8);
    expect(items[0]).toMatchObject({
      conversationId: 'conv_live',
      status: 'in-progress',
      callDurationSecs: 0,
      messageCount: 0,
      callSuccessful: 'unknown',
    });
    const whole = await conversations().get('conv_3');
    const item = items.find(({ conversationId }) => conversationId === 'conv_3');
    expect(item).toMatchObject({
      messageCount: whole.transcript.length,
      callDurationSecs: whole.metadata.callDurationSecs,
      transcriptSummary: whole.analysis?.transcriptSummary,
      direction: 'inbound',
    });
    expect(['positive', 'neutral', 'negative']).toContain(item?.sentimentAnalysis?.overallLabel);
  });

  it('filters by agent, start and status', async () => {
    const running = ['processing', 'done', 'failed'];
    expect(await ids({ excludeStatuses: running })).toEqual(['conv_live']);
    expect(await ids({ agentId: 'agent_odd' })).toEqual(['conv_5', 'conv_3', 'conv_1']);
    const window = { callStartAfterUnix: base + 1000, callStartBeforeUnix: base + 2999 };
    expect(await ids({ ...window, sortDirection: 'asc' })).toEqual(['conv_1', 'conv_2']);
  });

  it('returns pages that neither repeat nor skip, even while conversations arrive', async () => {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await conversations().list({ pageSize: 3, cursor });
      seen.push(...page.conversations.map((item) => item.conversationId));
      simulator.addCompleteConversation({ metadata: { start_time_unix_secs: base + 90_000 + seen.length } });
      cursor = page.hasMore ? page.nextCursor : undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual(['conv_live', 'conv_6', 'conv_5', 'conv_4', 'conv_3', 'conv_2', 'conv_1', 'conv_0']);
  });

  it('refuses pages that are too long, and lags, omits and deletes conversations as configured', async () => {
    expect(await refusedWith(conversations().list({ pageSize: 101 }))).toBe(422);
    expect(await refusedWith(conversations().list({ cursor: 'nonsense' }))).toBe(400);
    simulator.faults.deleteAfterList = 1;
    expect(await ids({ pageSize: 2 })).toEqual(['conv_live', 'conv_6']);
    expect(await refusedWith(conversations().get('conv_live'))).toBe(404);
    simulator.faults.listLagMs = 60_000;
    expect(await ids({})).toEqual([]);
  });
});

describe('audio, delete, summary', () => {
  it('returns an MP3 as long as the conversation, with the same bytes each time', async () => {
    const { conversation_id: id, metadata } = simulator.addCompleteConversation({});
    const audio = await audioOf(id);
    const { durationMs, frames } = readMp3(audio);
    expect(Math.abs(durationMs - metadata.call_duration_secs * 1000)).toBeLessThan(36);
    expect(frames).toBeGreaterThan(100);
    expect((await audioOf(id)).equals(audio)).toBe(true);
    const response = await fetch(`${simulator.baseUrl}/v1/convai/conversations/${id}/audio`, {
      headers: { 'xi-api-key': apiKey },
    });
    expect(response.headers.get('content-type')).toBe('audio/mpeg');
    expect(simulator.counts.of('audio', id)).toBe(3);
  });

  it('has no audio before it is ready, and aborts as configured', async () => {
    simulator.faults.lateAudioMs = 60_000;
    const { conversation_id: id } = simulator.addConversation();
    simulator.endConversation(id);
    simulator.finish(id);
    expect(await conversations().get(id)).toMatchObject({ status: 'done', hasAudio: false });
    expect(await refusedWith(conversations().audio.get(id))).toBe(404);
    simulator.conversations.update(id, {}, { audioFromMs: undefined });
    simulator.faults.audioCutAfterBytes.push(500);
    await expect(audioOf(id)).rejects.toThrow();
    expect((await audioOf(id)).length).toBeGreaterThan(500);
  });

  it('deletes permanently', async () => {
    const { conversation_id: id } = simulator.addCompleteConversation({});
    expect(await conversations().delete(id)).toEqual({});
    expect(await refusedWith(conversations().get(id))).toBe(404);
    expect(await refusedWith(conversations().delete(id))).toBe(404);
    expect(await refusedWith(conversations().audio.get(id))).toBe(404);
  });

  it('returns a summary', async () => {
    const { conversation_id: id } = simulator.addCompleteConversation({});
    const summary = await conversations().getSummary(id, { maxMessages: 2 });
    expect(summary.messages).toHaveLength(2);
    expect(summary.transcriptSummary).toContain('flight');
  });
});

describe('agents', () => {
  it('are listed by page and returned one by one', async () => {
    const page = await client.conversationalAi.agents.list({ pageSize: 5 });
    expect(page.agents).toHaveLength(5);
    const next = await client.conversationalAi.agents.list({ pageSize: 5, cursor: page.nextCursor });
    const all = [...page.agents, ...next.agents];
    expect(new Set(all.map((agent) => agent.agentId)).size).toBe(simulator.agents.size);
    for (const { agentId, name } of all) {
      expect(await client.conversationalAi.agents.get(agentId)).toMatchObject({ agentId, name });
    }
    expect(await refusedWith(client.conversationalAi.agents.get('agent_none'))).toBe(404);
  });
});

describe('webhooks', () => {
  it('are signed so that the official client accepts them, but only with the right secret', async () => {
    const { conversation_id: id } = simulator.addCompleteConversation({});
    for (const type of ['post_call_transcription', 'post_call_audio', 'something_new']) {
      const body = simulator.webhookBody(type, id);
      const event: unknown = await client.webhooks.constructEvent(body, simulator.sign(body), webhookSecret);
      expect(event).toMatchObject({ type, data: { conversation_id: id } });
      expect(await refusedWith(client.webhooks.constructEvent(body, simulator.sign(body), 'wrong'))).toBe(400);
      const old = simulator.sign(body, Date.now() - 31 * 60_000);
      expect(await refusedWith(client.webhooks.constructEvent(body, old, webhookSecret))).toBe(400);
    }
    expect(
      signBody(
        '{"type":"post_call_transcription","event_timestamp":1760000000,"data":{}}',
        'wsec_test',
        1_760_000_000_999,
      ),
    ).toBe('t=1760000000,v0=74a2c2a5476a7a8df7c5598c08328ca07bf3a2e34fce65ff08a72ca06f843244');
  });

  it('contain what GET returns, the metrics with or without their wrapper', async () => {
    const shapes = new Set<string>();
    for (let index = 0; index < 12; index += 1) {
      const { conversation_id: id } = simulator.addCompleteConversation({}, { seed: `shape ${index}` });
      const data = dataOf(simulator.webhookBody('post_call_transcription', id));
      const { body } = await raw(`/v1/convai/conversations/${id}`);
      expect({ ...data, transcript: 0 }).toEqual({ ...body, transcript: 0 });
      shapes.add(JSON.stringify(data['transcript']) === JSON.stringify(body['transcript']) ? 'wrapped' : 'bare');
    }
    expect(shapes).toEqual(new Set(['wrapped', 'bare']));
  });

  it('contain the reason why a call did not connect', () => {
    const reasons = (['busy', 'no_answer', 'unreachable'] as const).map((outcome) => {
      const { conversation_id: id } = simulator.addCompleteConversation({}, { outcome });
      return dataOf(simulator.webhookBody('call_initiation_failure', id))['failure_reason'];
    });
    expect(reasons).toEqual(['busy', 'no-answer', 'unknown']);
  });
});
