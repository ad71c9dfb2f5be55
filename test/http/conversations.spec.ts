import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newUuid, publicId } from '../../src/common/ids.js';
import { transcriptFields, speechOf } from '../../simulators/retell/index.js';
import { startApi, type Api } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';

let colloquy: Installation;
let api: Api;
/** Five calls, oldest first; one more is live. */
const finished: string[] = [];

const CALL = {
  direction: 'inbound',
  from_number: '+12025550142',
  call_type: 'phone_call',
  metadata: { order: 'A-17' },
  ...transcriptFields(
    speechOf('seed', [
      'A: Hello, how can I help?',
      'U: I was charged twice.',
      { tool: 'refund', arguments: { order: 'A-17' }, result: { ok: true } },
    ]).items,
  ),
};

beforeAll(async () => {
  colloquy = await install();
  api = await startApi(colloquy);
  await colloquy.startWorker();
  const now = Date.now();
  for (let index = 0; index < 5; index += 1) {
    const call = colloquy.retell.addCompleteCall({
      ...CALL,
      start_timestamp: now - (10 - index) * 60_000,
      duration_ms: 30_000,
    });
    await colloquy.send('call_analyzed', call.call_id);
    finished.push(call.call_id);
  }
  const ongoing = colloquy.retell.addCall();
  await colloquy.send('call_started', ongoing.call_id);
  await colloquy.conversationWhen(({ status }) => status === 'active');
  await eventually(
    async () => (await colloquy.conversations()).filter(({ record_state }) => record_state === 'settled').length === 5,
  );
}, 60_000);
afterAll(async () => {
  await api.close();
  await colloquy.close();
});

const ids = (body: Record<string, unknown>): string[] => (body['data'] as { id: string }[]).map(({ id }) => id);
const oneSettled = async (): Promise<string> =>
  ids((await api.call('GET', '/v1/conversations?status=completed&limit=1')).body)[0] as string;

describe('GET /v1/conversations', () => {
  it('lists newest start first, basic view: nothing sealed', async () => {
    const { status, body } = await api.call('GET', '/v1/conversations');
    expect(status).toBe(200);
    const rows = body['data'] as Record<string, unknown>[];
    expect(rows).toHaveLength(6);
    const times = rows.map((row) => row['start_time'] as string);
    expect(times).toEqual([...times].sort().reverse());
    expect(JSON.stringify(body)).not.toMatch(/2025550142|A-17|charged/);
    expect(rows[0]).not.toHaveProperty('customer');
    expect(rows[0]).not.toHaveProperty('end.provider_reason');
  });

  it('opens sealed fields with view=full, journaled once for the page', async () => {
    const { body } = await api.call('GET', '/v1/conversations?view=full&status=completed');
    expect(body['data']).toMatchObject(
      Array.from({ length: 5 }, () => ({ customer: { phone_number: '+12025550142' }, metadata: { order: 'A-17' } })),
    );
    expect((await colloquy.sql.query("select 1 from journal where action = 'content.listed'")).rows).toHaveLength(1);
    expect((await colloquy.sql.query('select 1 from journal_listed')).rows).toHaveLength(5);
  });

  it('walks pages without repeating or skipping, by Link and by cursor', async () => {
    const seen: string[] = [];
    let url: string | undefined = '/v1/conversations?limit=2';
    while (url !== undefined) {
      const page = await api.call('GET', url);
      seen.push(...ids(page.body));
      url = page.headers['link']?.match(/<([^>]+)>; rel="next"/)?.[1];
      expect(page.body['has_more']).toBe(url !== undefined);
    }
    expect(seen).toHaveLength(6);
    expect(new Set(seen).size).toBe(6);
  });

  it.each([
    ['limit=0', 'invalid_request'],
    ['limit=201', 'invalid_request'],
    ['colour=red', 'unknown_field'],
    ['client_id=nonsense', 'invalid_id'],
    ['start_time_from=yesterday', 'invalid_request'],
    ['status=sleeping', 'invalid_request'],
  ])('answers 400 to %s and names it', async (query, code) => {
    const { status, body } = await api.call('GET', `/v1/conversations?${query}`);
    expect(status).toBe(400);
    expect(body['code']).toBe(code);
    expect(body['errors']).toMatchObject([{ parameter: query.split('=')[0] }]);
  });
});

describe('GET /v1/conversations/{id}', () => {
  it('has every field of the contract', async () => {
    const { status, body } = await api.call('GET', `/v1/conversations/${await oneSettled()}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      object: 'conversation',
      provider: 'retell',
      channel: 'phone',
      direction: 'inbound',
      status: 'completed',
      record_state: 'settled',
      customer: { phone_number: '+12025550142', name: null, email: null, user_id: null, presentation: 'allowed' },
      end: { category: 'customer_hangup', party: 'customer', provider_reason: 'user_hangup' },
      completeness: { transcript: { state: 'present' }, audio: { state: 'present' }, analysis: { state: 'present' } },
      recordings: [{ variant: 'mixed', content_type: 'audio/wav' }],
      segments: [{ holder: 'agent' }],
      retention: { purge_at: null, on_hold: false },
      linked_conversations: [],
      tags: [],
    });
    expect(finished).toContain(body['provider_conversation_id']);
  });

  it('answers 304 to its own ETag, without a content read', async () => {
    const url = `/v1/conversations/${await oneSettled()}`;
    const { headers } = await api.call('GET', url);
    const before = await colloquy.sql.query("select 1 from journal where action = 'content.read'");
    const again = await api.call('GET', url, { headers: { 'if-none-match': headers['etag'] as string } });
    expect(again.status).toBe(304);
    expect((await colloquy.sql.query("select 1 from journal where action = 'content.read'")).rowCount).toBe(
      before.rowCount,
    );
  });

  it('is the same under the same ETag if the provider repeats what is known', async () => {
    const [callId = ''] = finished;
    const { id } = await colloquy.settled(callId);
    const url = `/v1/conversations/${publicId('conversation', id)}`;
    const lastFact = async () => (await colloquy.call(callId)).last_fact_at.getTime();
    const [before, heard] = [await api.call('GET', url), await lastFact()];
    // Other bytes: not a duplicate, but another fact.
    await colloquy.sendBody(`${colloquy.retell.webhookBody('call_analyzed', callId)} `);
    await eventually(async () => (await lastFact()) > heard);
    const after = await api.call('GET', url);
    expect(after.headers['etag']).toBe(before.headers['etag']);
    expect(after.body).toEqual(before.body);
  });

  it('answers 404 for an unknown id and 400 for a malformed one', async () => {
    expect((await api.call('GET', `/v1/conversations/${publicId('conversation', newUuid())}`)).body).toMatchObject({
      status: 404,
      code: 'not_found',
    });
    expect((await api.call('GET', '/v1/conversations/conv_nonsense')).body).toMatchObject({
      status: 400,
      code: 'invalid_id',
    });
  });
});

describe('GET /v1/conversations/{id}/transcript', () => {
  it('returns turns as JSON', async () => {
    const { body } = await api.call('GET', `/v1/conversations/${await oneSettled()}/transcript`);
    expect(body['final']).toBe(true);
    expect(body['turns']).toMatchObject([
      { index: 0, role: 'agent', text: 'Hello, how can I help?' },
      { index: 1, role: 'customer', text: 'I was charged twice.' },
      { index: 2, role: 'tool_call', tool: { name: 'refund', arguments: { order: 'A-17' } } },
      { index: 3, role: 'tool_result', tool: { result: { ok: true }, ok: true } },
    ]);
  });

  it('returns one line per turn as text, by format and by Accept', async () => {
    const url = `/v1/conversations/${await oneSettled()}/transcript`;
    const byFormat = await api.call('GET', `${url}?format=text`);
    expect(byFormat.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(byFormat.text).toMatch(
      /^\[00:0\d\] Agent: Hello, how can I help\?\n\[00:0\d\] Customer: I was charged twice\.\n/,
    );
    expect((await api.call('GET', url, { headers: { accept: 'text/plain' } })).text).toBe(byFormat.text);
    expect((await api.call('GET', url, { headers: { accept: 'image/png' } })).status).toBe(406);
  });

  it('is empty and not final while nobody has spoken', async () => {
    const { body } = await api.call('GET', '/v1/conversations/active');
    const transcript = await api.call('GET', `/v1/conversations/${ids(body)[0]}/transcript`);
    expect(transcript.body).toMatchObject({ final: false, turns: [] });
  });
});

describe('GET /v1/conversations/{id}/audio', () => {
  it("returns the provider's recording", async () => {
    const id = await oneSettled();
    const { body } = await api.call('GET', `/v1/conversations/${id}`);
    const theirs = await fetch(`${colloquy.retell.baseUrl}/recordings/${String(body['provider_conversation_id'])}.wav`);
    const ours = await raw(`/v1/conversations/${id}/audio`);
    expect(ours.headers['content-type']).toBe('audio/wav');
    expect(ours.rawPayload.equals(Buffer.from(await theirs.arrayBuffer()))).toBe(true);
  });

  it('never has a content type other than audio, whatever the table says', async () => {
    await colloquy.sql.query("update recordings set content_type = 'text/html'");
    const { headers } = await raw(`/v1/conversations/${await oneSettled()}/audio`);
    expect(headers['content-type']).toBe('application/octet-stream');
  });

  it('serves ranges, HEAD and If-Range', async () => {
    const url = `/v1/conversations/${await oneSettled()}/audio`;
    const whole = await raw(url);
    const etag = String(whole.headers['etag']);
    const part = await raw(url, { range: 'bytes=100-299' });
    expect(part.statusCode).toBe(206);
    expect(part.headers).toMatchObject({
      'content-range': `bytes 100-299/${whole.rawPayload.length}`,
      'content-length': '200',
      'accept-ranges': 'bytes',
      'cache-control': 'no-store',
    });
    expect(part.rawPayload.equals(whole.rawPayload.subarray(100, 300))).toBe(true);
    expect((await raw(url, { range: 'bytes=100-299', 'if-range': '"other"' })).statusCode).toBe(200);
    expect((await raw(url, { range: 'bytes=100-299', 'if-range': etag })).statusCode).toBe(206);
    const outside = await raw(url, { range: `bytes=${whole.rawPayload.length}-` });
    expect([outside.statusCode, outside.headers['content-range']]).toEqual([416, `bytes */${whole.rawPayload.length}`]);
    const head = await raw(url, {}, 'HEAD');
    expect([head.statusCode, head.rawPayload.length, head.headers['content-length']]).toEqual([
      200,
      0,
      String(whole.rawPayload.length),
    ]);
    expect((await raw(url, { 'if-none-match': etag })).statusCode).toBe(304);
  });

  it('answers 409 while it is pending', async () => {
    const { body } = await api.call('GET', '/v1/conversations/active');
    const { status, body: problem, headers } = await api.call('GET', `/v1/conversations/${ids(body)[0]}/audio`);
    expect([status, problem['code']]).toEqual([409, 'audio_pending']);
    expect(headers['retry-after']).toBeDefined();
  });

  it('answers 404 with the reason when there is none', async () => {
    const call = colloquy.retell.addCall();
    colloquy.retell.endCall(call.call_id, { disconnection_reason: 'dial_busy' });
    await colloquy.send('call_ended', call.call_id);
    const busy = await colloquy.conversationWhen(({ end_category }) => end_category === 'busy');
    const { body } = await api.call('GET', `/v1/conversations/${publicId('conversation', busy.id)}/audio`);
    expect(body).toMatchObject({ status: 404, code: 'audio_absent', reason: 'never_connected' });
  });

  const raw = (url: string, headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET') =>
    api.app
      .getHttpAdapter()
      .getInstance()
      .inject({ method, url, headers: { authorization: `Bearer ${api.readKey}`, ...headers } });
});

describe('content reads', () => {
  it.each([
    ['detail', '', {}],
    ['transcript', '/transcript', {}],
    ['audio', '/audio', { range: 'bytes=0-9' }],
  ])('are journaled once in five minutes for each key, conversation and kind: %s', async (purpose, path, headers) => {
    const id = await oneSettled();
    const key = await api.newReader();
    const readsBy = async (): Promise<{ actor: { id: string } }[]> => {
      const { body } = await api.call('GET', `/v1/conversations/${id}/history?limit=200`);
      const entries = body['data'] as { action: string; purpose: string; actor: { type: string; id: string } }[];
      return entries.filter((entry) => entry.action === 'content.read' && entry.purpose === purpose);
    };
    const before = await readsBy();
    for (let index = 0; index < 3; index += 1) {
      const { status } = await api.call('GET', `/v1/conversations/${id}${path}`, { key, headers });
      expect(status).toBe(purpose === 'audio' ? 206 : 200);
    }
    const entries = (await readsBy()).slice(before.length);
    expect(entries).toMatchObject([{ actor: { type: 'key', id: expect.stringMatching(/^key_/) } }]);
  });

  it('appear in the history beside every change, oldest first', async () => {
    const id = await oneSettled();
    await api.call('GET', '/v1/conversations?view=full');
    const { body } = await api.call('GET', `/v1/conversations/${id}/history`);
    const entries = body['data'] as { action: string; time: string }[];
    const actions = entries.map(({ action }) => action);
    expect(actions[0]).toBe('conversation.created');
    expect(actions).toEqual(
      expect.arrayContaining(['recording.stored', 'conversation.settled', 'content.read', 'content.listed']),
    );
    expect(entries.map(({ time }) => time)).toEqual(entries.map(({ time }) => time).sort());
  });
});
