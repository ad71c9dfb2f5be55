// The official client against the simulated Retell: it must not notice a difference from the real one.
import Retell, { AuthenticationError, BadRequestError, InternalServerError, NotFoundError } from 'retell-sdk';
import { symmetric } from 'retell-sdk/lib/webhook_auth';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { signBody, startRetellSimulator, type RetellSimulator } from '../../simulators/retell/index.js';
import { readWav } from './wav.js';

const apiKey = 'key_test';
let simulator: RetellSimulator;
let client: Retell;

beforeEach(async () => {
  simulator = await startRetellSimulator({ apiKey });
  client = new Retell({ apiKey, baseURL: simulator.baseUrl });
});

afterEach(() => simulator.close());

const countOf = (prefix: string) => simulator.requests.filter((request) => request.path.startsWith(prefix)).length;
const audioOf = async (url: string | undefined) => {
  const response = await fetch(String(url));
  return { status: response.status, headers: response.headers, body: Buffer.from(await response.arrayBuffer()) };
};

describe('call.retrieve', () => {
  it('returns the whole call once it is over', async () => {
    const call = simulator.addCompleteCall({ call_id: 'call_1' });
    expect(await client.call.retrieve('call_1')).toEqual(call);
  });

  it('returns no end during the call, the analysis only later, and then everything', async () => {
    const { call_id: id } = simulator.addCall({ call_id: 'call_live' });
    expect(await client.call.retrieve(id)).toMatchObject({ call_status: 'ongoing' });
    expect(await client.call.retrieve(id)).not.toHaveProperty('end_timestamp');
    simulator.endCall(id, { disconnection_reason: 'agent_hangup' });
    const ended = await client.call.retrieve(id);
    expect(ended).toMatchObject({ call_status: 'ended', disconnection_reason: 'agent_hangup' });
    expect(ended.end_timestamp).toBeLessThanOrEqual(Date.now());
    expect(ended).not.toHaveProperty('call_analysis');
    simulator.analyze(id, { user_sentiment: 'Negative' });
    expect((await client.call.retrieve(id)).call_analysis).toMatchObject({
      user_sentiment: 'Negative',
      in_voicemail: false,
    });
  });

  it('shows the analysis automatically once it is due', async () => {
    simulator.faults.lateAnalysisMs = 400;
    const { call_id: id } = simulator.addCall();
    simulator.endCall(id);
    expect(await client.call.retrieve(id)).not.toHaveProperty('call_analysis');
    await expect.poll(async () => (await client.call.retrieve(id)).call_analysis, { timeout: 10_000 }).toBeDefined();
  });

  it('keeps only what the storage settings allow', async () => {
    simulator.addCompleteCall({ call_id: 'basic', data_storage_setting: 'basic_attributes_only' });
    simulator.addCompleteCall({ call_id: 'scrubbed', data_storage_setting: 'everything_except_pii' });
    expect(await client.call.retrieve('basic')).not.toHaveProperty('transcript');
    expect(await client.call.retrieve('basic')).not.toHaveProperty('recording_url');
    expect(await client.call.retrieve('scrubbed')).not.toHaveProperty('transcript_object');
    expect(await client.call.retrieve('scrubbed')).toHaveProperty('scrubbed_transcript_with_tool_calls');
    expect(simulator.webhookBody('call_ended', 'basic')).toContain('"transcript_object"');
  });

  it('retries after 429 and 500, and succeeds', async () => {
    simulator.addCompleteCall({ call_id: 'call_1' });
    simulator.faults.getStatus.push(429, 500);
    simulator.faults.retryAfterSeconds = 0;
    expect((await client.call.retrieve('call_1')).call_id).toBe('call_1');
    expect(simulator.requests.map((request) => request.status)).toEqual([429, 500, 200]);
    simulator.faults.getStatus.push(500);
    await expect(client.call.retrieve('call_1', { maxRetries: 0 })).rejects.toBeInstanceOf(InternalServerError);
  });

  it('survives a broken connection', async () => {
    simulator.addCompleteCall({ call_id: 'call_1' });
    simulator.faults.resetConnections = 1;
    expect((await client.call.retrieve('call_1')).call_id).toBe('call_1');
    expect(countOf('/v2/get-call/call_1')).toBe(2);
  });

  it('refuses a wrong key, an unknown call and an unknown path', async () => {
    const stranger = new Retell({ apiKey: 'wrong', baseURL: simulator.baseUrl });
    await expect(stranger.call.retrieve('call_1')).rejects.toBeInstanceOf(AuthenticationError);
    await expect(client.call.retrieve('call_1')).rejects.toBeInstanceOf(NotFoundError);
    await expect(client.get('/v2/unknown')).rejects.toMatchObject({ status: 404, error: { status: 'error' } });
    simulator.addCompleteCall({ call_id: 'call_2' });
    simulator.faults.missing.add('call_2');
    await expect(client.call.retrieve('call_2')).rejects.toBeInstanceOf(NotFoundError);
  });
});

describe('call.list', () => {
  const base = 1_790_000_000_000;

  beforeEach(() => {
    for (let index = 0; index < 7; index += 1) {
      simulator.addCompleteCall({
        call_id: `call_${index}`,
        start_timestamp: base + index * 1_000_000,
        agent_id: `agent_${index % 2}`,
      });
    }
    simulator.addCall({ call_id: 'call_live', start_timestamp: base + 50_000_000 });
  });

  it('omits transcripts and nothing else', async () => {
    const { items } = await client.call.list({
      filter_criteria: { call_id: { type: 'string', op: 'eq', value: 'call_3' } },
    });
    const whole: Record<string, unknown> = { ...(await client.call.retrieve('call_3')) };
    for (const field of ['transcript', 'transcript_object', 'transcript_with_tool_calls']) delete whole[field];
    expect(items).toEqual([whole]);
  });

  it('filters by status, agent and time', async () => {
    const ids = async (filter: Retell.CallListParams.FilterCriteria) =>
      (await client.call.list({ filter_criteria: filter, sort_order: 'ascending' })).items.map((item) => item.call_id);
    expect(await ids({ call_status: { type: 'enum', op: 'in', value: ['ongoing'] } })).toEqual(['call_live']);
    expect(await ids({ agent: [{ agent_id: 'agent_1' }] })).toEqual(['call_1', 'call_3', 'call_5']);
    expect(await ids({ start_timestamp: { type: 'range', op: 'bt', value: [base + 1, base + 2_000_000] } })).toEqual([
      'call_1',
      'call_2',
    ]);
    expect(await ids({ end_timestamp: { type: 'number', op: 'ge', value: base + 6_000_000 } })).toEqual(['call_6']);
  });

  it('returns pages that neither repeat nor skip, even while calls arrive', async () => {
    const seen: string[] = [];
    let key: string | undefined;
    do {
      const page = await client.call.list({ limit: 3, pagination_key: key, include_total: true });
      seen.push(...page.items.map((item) => item.call_id));
      expect(page.total).toBeGreaterThanOrEqual(8);
      simulator.addCompleteCall({ call_id: `newer_${seen.length}`, start_timestamp: base + 90_000_000 + seen.length });
      key = page.has_more ? page.pagination_key : undefined;
    } while (key !== undefined);
    expect(seen).toEqual(['call_live', 'call_6', 'call_5', 'call_4', 'call_3', 'call_2', 'call_1', 'call_0']);
  });

  it('refuses what Retell refuses, and lags as configured', async () => {
    await expect(client.call.list({ pagination_key: 'nonsense' })).rejects.toBeInstanceOf(BadRequestError);
    await expect(client.call.list({ limit: -1 })).rejects.toBeInstanceOf(BadRequestError);
    simulator.faults.listLagMs = 60_000;
    expect((await client.call.list()).items).toEqual([]);
  });
});

describe('call.delete, call.update, call.stop', () => {
  it('deletes permanently', async () => {
    const call = simulator.addCompleteCall({ call_id: 'call_1' });
    await client.call.delete('call_1');
    await expect(client.call.retrieve('call_1')).rejects.toBeInstanceOf(NotFoundError);
    await expect(client.call.delete('call_1')).rejects.toBeInstanceOf(NotFoundError);
    expect((await audioOf(call.recording_url)).status).toBe(404);
  });

  it('updates metadata and attributes, and tightens storage but never loosens it', async () => {
    simulator.addCompleteCall({ call_id: 'call_1' });
    const changed = await client.call.update('call_1', { metadata: { a: 1 }, custom_attributes: { vip: true } });
    expect(changed).toMatchObject({ call_id: 'call_1', metadata: { a: 1 } });
    const vip = { key: 'vip', type: 'boolean' as const, op: 'eq' as const, value: true };
    expect((await client.call.list({ filter_criteria: { custom_attributes: [vip] } })).items).toHaveLength(1);
    await client.call.update('call_1', { data_storage_setting: 'basic_attributes_only' });
    await expect(client.call.update('call_1', { data_storage_setting: 'everything' })).rejects.toBeInstanceOf(
      BadRequestError,
    );
  });

  it('stops a live call, once', async () => {
    simulator.addCall({ call_id: 'call_1' });
    await client.call.stop('call_1');
    expect(await client.call.retrieve('call_1')).toMatchObject({
      call_status: 'ended',
      disconnection_reason: 'manual_stopped',
    });
    await expect(client.call.stop('call_1')).rejects.toBeInstanceOf(BadRequestError);
  });
});

describe('agents', () => {
  it('are listed by page and returned one by one', async () => {
    const page = await client.agent.list({ limit: 2 });
    expect(page.items).toHaveLength(2);
    const next = await client.agent.list({ limit: 2, pagination_key: page.pagination_key });
    expect(next.items[0]?.agent_id).not.toBe(page.items[0]?.agent_id);
    const id = page.items[0]?.agent_id ?? '';
    expect(await client.agent.retrieve(id)).toMatchObject({ agent_id: id, response_engine: { type: 'retell-llm' } });
    await expect(client.agent.retrieve('agent_none')).rejects.toBeInstanceOf(NotFoundError);
  });
});

describe('signatures', () => {
  it('are accepted by the official client, but only with the right key and time', async () => {
    const body = JSON.stringify({ event: 'call_ended', call: { call_id: 'ü' } });
    expect(await Retell.verify(body, apiKey, simulator.sign(body))).toBe(true);
    expect(await Retell.verify(`${body} `, apiKey, simulator.sign(body))).toBe(false);
    expect(await Retell.verify(body, 'other', simulator.sign(body))).toBe(false);
    expect(await Retell.verify(body, apiKey, simulator.sign(body, Date.now() - 301_000))).toBe(false);
  });

  it('are the same as those of the official client', async () => {
    const body = '{"event":"call_ended","call":{}}';
    expect(signBody(body, 'key_test', 1_760_000_000_000)).toBe(
      await symmetric.sign(body, 'key_test', 1_760_000_000_000),
    );
  });
});

describe('recordings', () => {
  it('are WAV files as long as the call, and not silent', async () => {
    const call = simulator.addCompleteCall({ call_id: 'call_1' });
    const mono = await audioOf(call.recording_url);
    expect(mono.headers.get('content-type')).toBe('audio/wav');
    expect(mono.headers.get('content-length')).toBe(String(mono.body.length));
    const { durationMs, rms, channels } = readWav(mono.body);
    expect(durationMs).toBeCloseTo(call.duration_ms ?? 0, 0);
    expect(rms).toBeGreaterThan(500);
    expect(channels).toBe(1);
    const stereo = readWav((await audioOf(call.recording_multi_channel_url)).body);
    expect(stereo).toMatchObject({ channels: 2, durationMs });
  });

  it('are the same bytes each time and on each simulator', async () => {
    const other = await startRetellSimulator({ apiKey });
    const times = { call_id: 'call_1', end_timestamp: 1_790_000_000_000 };
    const [here, there] = [simulator.addCompleteCall(times), other.addCompleteCall(times)];
    expect((await audioOf(here.recording_url)).body.equals((await audioOf(there.recording_url)).body)).toBe(true);
    expect({ ...there, recording_url: '', recording_multi_channel_url: '' }).toEqual({
      ...here,
      recording_url: '',
      recording_multi_channel_url: '',
    });
    await other.close();
  });

  it('are late, expire and abort as configured', async () => {
    const { recording_url: url } = simulator.addCompleteCall({ call_id: 'call_1' });
    simulator.faults.audio404Until.set('call_1', Date.now() + 60_000);
    expect((await audioOf(url)).status).toBe(404);
    simulator.faults.audio404Until.delete('call_1');
    simulator.faults.audioCutAfterBytes.push(5000);
    await expect(audioOf(url)).rejects.toThrow();
    expect((await audioOf(url)).status).toBe(200);
    simulator.faults.recordingExpiresAt.set('call_1', Date.now());
    expect((await audioOf(url)).status).toBe(403);
  });

  it('disappear ten minutes after the end if nothing may be stored', async () => {
    const at = (minutes: number) => ({
      end_timestamp: Date.now() - minutes * 60_000,
      data_storage_setting: 'basic_attributes_only',
    });
    expect((await audioOf(simulator.addCompleteCall(at(9)).recording_url)).status).toBe(200);
    expect((await audioOf(simulator.addCompleteCall(at(11)).recording_url)).status).toBe(403);
  });

  it('need the signature of their link if links are signed', async () => {
    const call = simulator.addCompleteCall({ call_id: 'call_1', opt_in_signed_url: true });
    const { recording_url: signed } = await client.call.retrieve('call_1');
    expect((await audioOf(signed)).status).toBe(200);
    expect((await audioOf(call.recording_url)).status).toBe(403);
  });
});
