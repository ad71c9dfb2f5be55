// Faults set over HTTP like an operator does, and a bulk history.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startElevenLabsSimulator, type ElevenLabsSimulator } from '../../simulators/elevenlabs/index.js';
import { startRetellSimulator, type RetellSimulator } from '../../simulators/retell/index.js';

let elevenlabs: ElevenLabsSimulator;
let retell: RetellSimulator;

beforeEach(async () => {
  [elevenlabs, retell] = await Promise.all([startElevenLabsSimulator(), startRetellSimulator()]);
});

afterEach(async () => {
  await Promise.all([elevenlabs.close(), retell.close()]);
});

const control = async (method: string, body?: unknown, path = 'faults') => {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const response = await fetch(`${elevenlabs.baseUrl}/_control/${path}`, init);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const get = async (path: string) =>
  fetch(`${elevenlabs.baseUrl}/v1/convai/${path}`, { headers: { 'xi-api-key': elevenlabs.apiKey } });
const list = async (query: string) =>
  (await (await get(`conversations?${query}`)).json()) as {
    conversations: { conversation_id: string }[];
    next_cursor: string | null;
  };

describe('/_control/faults', () => {
  it('merges, shows and resets faults', async () => {
    await control('POST', { webhooks: { late: 0.5 }, missing: ['conv_1'], resetConnections: 'always' });
    const { body } = await control('POST', { audio404Until: { conv_2: 5 }, retryAfterSeconds: 3 });
    expect(body).toMatchObject({
      webhooks: { late: 0.5, missing: 0 },
      missing: ['conv_1'],
      resetConnections: 'always',
    });
    expect(elevenlabs.faults.audio404Until.get('conv_2')).toBe(5);
    await expect(get('agents')).rejects.toThrow();
    expect((await control('DELETE')).body).toMatchObject({ missing: [], resetConnections: 0, webhooks: { late: 0 } });
    expect((await get('agents')).status).toBe(200);
    expect(elevenlabs.requests).toHaveLength(2);
  });

  it('refuses unknown faults by name', async () => {
    expect(await control('POST', { webhooks: { late: 2 } })).toMatchObject({
      status: 400,
      body: { detail: { message: expect.stringContaining('webhooks.late') } },
    });
    expect((await control('POST', { nonsense: 1 })).status).toBe(400);
  });

  it('makes a share of requests fail, with and without Retry-After', async () => {
    await control('POST', { errors: { share: 0.5, statuses: [429] }, retryAfterSeconds: 2 });
    const answers = await Promise.all(Array.from({ length: 60 }, () => get('agents')));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(15);
    expect(refused.length).toBeLessThan(45);
    expect(refused[0]?.headers.get('retry-after')).toBe('2');
  });
});

describe('seedHistory', () => {
  it('creates 5,000 conversations within seconds, lists each once, and counts reads', async () => {
    const before = process.cpuUsage();
    const ids = elevenlabs.seedHistory({ count: 5000, seed: 'bulk' });
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(15_000);
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Awaited<ReturnType<typeof list>> = await list(`page_size=100${cursor && `&cursor=${cursor}`}`);
      seen.push(...page.conversations.map((item) => item.conversation_id));
      cursor = page.next_cursor;
    }
    expect(seen).toHaveLength(5000);
    expect(new Set(seen)).toEqual(new Set(ids));
    const sample = ids.filter((_, index) => index % 500 === 0);
    for (const id of sample) expect((await get(`conversations/${id}`)).status).toBe(200);
    expect(elevenlabs.counts.total('get')).toBe(10);
    expect((await control('GET', undefined, 'requests')).body).toEqual({
      operations: {
        list: { requests: 50, records: 0, repeated: {} },
        get: { requests: 10, records: 10, repeated: {} },
      },
    });
  });

  it('generates complete documents and recordings from the seed alone, the same in each workspace', async () => {
    const options = { count: 30, from: 1_790_000_000_000, to: 1_790_800_000_000, seed: 'again' };
    const other = await startRetellSimulator();
    expect(retell.seedHistory(options)).toEqual(other.seedHistory(options));
    for (const { head } of retell.calls.heads()) {
      const [here, there] = [retell.calls.get(head.call_id), other.calls.get(head.call_id)];
      expect(here?.transcript).toBe(there?.transcript);
      if (here?.start_timestamp === undefined) continue;
      expect(here.transcript?.length).toBeGreaterThan(10);
      expect(here.start_timestamp).toBeGreaterThanOrEqual(options.from);
      expect(here.end_timestamp).toBeLessThanOrEqual(options.to);
    }
    const withAudio = retell.calls.heads().find(({ head }) => head.recording_url !== undefined)?.head;
    expect((await fetch(String(withAudio?.recording_url))).status).toBe(200);
    await other.close();
  });
});
