// Content that is not served: erased and restricted content, and any read that cannot be journaled first.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publicId } from '../../src/common/ids.js';
import type { Called } from './http-app.js';
import { startApi, type Api } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';
import type { StoredConversation } from '../support/stored-conversation.js';

let colloquy: Installation;
let api: Api;

beforeAll(async () => {
  colloquy = await install();
  api = await startApi(colloquy);
  await colloquy.startWorker();
});
afterAll(async () => {
  await api.close();
  await colloquy.close();
});

interface ReadableCall {
  callId: string;
  /** uuid */
  id: string;
  publicId: string;
  url: string;
}

const callWith = (callId: string, { id }: StoredConversation): ReadableCall => {
  const name = publicId('conversation', id);
  return { callId, id, publicId: name, url: `/v1/conversations/${name}` };
};

/** A call with every readable part. */
async function settledCall(seed: string): Promise<ReadableCall> {
  const { call_id: callId } = colloquy.retell.addCompleteCall({ call_id: seed }, seed);
  await colloquy.send('call_analyzed', callId);
  return callWith(callId, await colloquy.settled(callId));
}

const READS = ['', '/transcript', '/transcript?format=text', '/transcript?format=srt', '/audio'];
const listed = ({ body }: Called): string[] => (body['data'] as { id: string }[]).map(({ id }) => id);

async function keyOf(role: string, scopes: string[] = []): Promise<string> {
  const body = { name: role, role, client_ids: '*', scopes };
  return String((await api.call('POST', '/v1/api-keys', { key: api.adminKey, body })).body['secret']);
}

/** As an erasure leaves it; no route starts one yet. */
async function setState({ id }: ReadableCall, state: 'erasing' | 'erased', at: Date | null): Promise<void> {
  await colloquy.sql.query('update conversation_identities set state = $2, erased_at = $3 where id = $1', [
    id,
    state,
    at,
  ]);
  await colloquy.sql.query('update conversations set record_state = $2 where id = $1', [id, state]);
}

describe('an erased conversation, or one being erased', () => {
  const ERASED_AT = new Date('2026-05-04T10:00:00.123Z');

  it.each([
    ['erased', ERASED_AT],
    ['erasing', null],
  ] as const)('answers 410 with its time and nothing else on every route: %s', async (state, at) => {
    const call = await settledCall(`gone_${state}`);
    const { headers } = await api.call('GET', call.url);
    await setState(call, state, at);
    for (const role of ['supervisor', 'compliance', 'operator']) {
      const key = await keyOf(role);
      for (const path of [...READS, '/history']) {
        const answer = await api.call('GET', `${call.url}${path}`, {
          key,
          headers: { 'if-none-match': headers['etag'] ?? '' },
        });
        if (answer.status === 403) continue;
        expect([path, answer.body]).toEqual([
          path,
          {
            type: 'https://colloquy.dev/problems/erased',
            title: 'Erased',
            status: 410,
            code: 'erased',
            detail: 'the conversation was erased',
            request_id: expect.any(String),
            erased_at: at?.toISOString() ?? null,
          },
        ]);
        expect([answer.status, answer.headers['etag']]).toEqual([410, undefined]);
      }
    }
    expect((await api.call('HEAD', `${call.url}/audio`)).status).toBe(410);
  });

  it('is in no list and in no total', async () => {
    const [kept, gone] = [await settledCall('kept'), await settledCall('gone')];
    const { callId } = await colloquy.liveCall({ call_id: 'gone_live' });
    const live = callWith(callId, await colloquy.call(callId));
    const lists = ['', '?view=full', '?status=completed', '?sort=start_time', '?limit=200&include=total', '/active'];
    const all = () => Promise.all(lists.map((query) => api.call('GET', `/v1/conversations${query}`)));
    const before = (await all()).map(listed);
    expect(before.map((ids) => ids.includes(gone.publicId) || ids.includes(live.publicId))).not.toContain(false);
    await setState(gone, 'erased', ERASED_AT);
    await setState(live, 'erasing', null);
    const after = await all();
    for (const answer of after) expect(answer.text).not.toMatch(new RegExp(`${gone.publicId}|${live.publicId}`));
    expect(listed(after[0] as Called)).toContain(kept.publicId);
    const { total, data } = after[4]?.body ?? {};
    expect(total).toEqual({ value: (data as unknown[]).length, exact: true });
  });

  it('takes nothing back: a fact of it gets 200, is dropped, and is reported in the journal', async () => {
    const call = await settledCall('suppressed');
    await setState(call, 'erased', ERASED_AT);
    const stored = () => colloquy.sql.query('select * from conversations where id = $1', [call.id]);
    const before = (await stored()).rows;
    colloquy.retell.calls.update(call.callId, { metadata: { word: 'canary-suppressed' } });
    const body = colloquy.retell.webhookBody('call_analyzed', call.callId);
    const headers = { 'x-retell-signature': colloquy.retell.sign(body), 'content-type': 'application/json' };
    const url = `/v1/webhooks/${publicId('providerAccount', colloquy.accountId)}`;
    for (const _ of ['new', 'again']) {
      const answer = await api.call('POST', url, { key: null, body, headers });
      expect([answer.status, answer.body]).toEqual([200, {}]);
    }
    const entries = await eventually(async () => {
      const journal = await colloquy.store.journal(call.id);
      return journal.filter(({ action }) => action === 'ingest.suppressed').length > 0 && journal;
    });
    expect(entries.at(-1)).toMatchObject({
      action: 'ingest.suppressed',
      actor_type: 'system',
      changes: [],
      reason: null,
    });
    expect(entries.filter(({ action }) => action === 'ingest.suppressed')).toHaveLength(1);
    const { rows: waiting } = await colloquy.sql.query("select 1 from inbox where state <> 'unknown'");
    expect([waiting, (await stored()).rows]).toEqual([[], before]);
  });
});

describe('a restricted conversation', () => {
  let call: ReadableCall;
  beforeAll(async () => {
    call = await settledCall('article_18');
    await colloquy.sql.query('update conversations set restricted = true where id = $1', [call.id]);
  });

  it.each([
    ['consumer', []],
    ['supervisor', []],
    ['operator', ['content:read']],
    ['admin', ['content:read', 'conversations:read']],
  ])('answers 403 restricted to content reads of a %s', async (role, scopes) => {
    const key = await keyOf(role, scopes);
    for (const path of READS) {
      const { status, body, text } = await api.call('GET', `${call.url}${path}`, { key });
      expect([path, status, body['code']]).toEqual([path, 403, 'restricted']);
      expect(text).not.toContain(call.callId);
    }
    expect((await api.call('HEAD', `${call.url}/audio`, { key })).status).toBe(403);
    const full = listed(await api.call('GET', '/v1/conversations?view=full&limit=200', { key }));
    expect(full).not.toContain(call.publicId);
    expect(full.length).toBeGreaterThan(0);
    const { body } = await api.call('GET', '/v1/conversations?limit=200', { key });
    expect(body['data']).toContainEqual(expect.objectContaining({ id: call.publicId, restricted: true }));
  });

  it('is not revealed by its entity tag either', async () => {
    const key = await keyOf('compliance');
    const { headers } = await api.call('GET', call.url, { key });
    const asked = { headers: { 'if-none-match': headers['etag'] ?? '' } };
    expect((await api.call('GET', call.url, { key, ...asked })).status).toBe(304);
    expect((await api.call('GET', call.url, asked)).body['code']).toBe('restricted');
  });

  it('is readable for compliance', async () => {
    const key = await keyOf('compliance');
    for (const path of READS)
      expect([path, (await api.call('GET', `${call.url}${path}`, { key })).status]).toEqual([path, 200]);
    expect(listed(await api.call('GET', '/v1/conversations?view=full&limit=200', { key }))).toContain(call.publicId);
  });

  it('shows its plain part to an operator, and its history to whoever may read histories', async () => {
    const key = await keyOf('operator');
    const { status, body } = await api.call('GET', call.url, { key });
    expect([status, body['restricted'], body['customer']]).toEqual([200, true, undefined]);
    expect((await api.call('GET', `${call.url}/history`, { key })).status).toBe(200);
  });
});

describe('a content read that cannot be journaled', () => {
  let call: ReadableCall;
  let reader: string;
  beforeAll(async () => {
    call = await settledCall('unjournaled');
    // Otherwise a read by the same key within these five minutes would need no entry.
    reader = await api.newReader();
    await colloquy.sql.query('revoke insert on journal from colloquy_api');
  });
  afterAll(() => colloquy.sql.query('grant insert on journal to colloquy_api'));

  const fetchAs = (key: string, path: string, headers: Record<string, string> = {}) =>
    api.app
      .getHttpAdapter()
      .getInstance()
      .inject({ url: path, headers: { authorization: `Bearer ${key}`, ...headers } });

  it.each([
    ['the detail', '', {}],
    ['the transcript as JSON', '/transcript', {}],
    ['the transcript as text', '/transcript?format=text', {}],
    ['the transcript as subtitles', '/transcript?format=vtt', {}],
    ['the end of a transcript', '/transcript?after_index=0', {}],
    ['the recording', '/audio', {}],
    ['a range of the recording', '/audio', { range: 'bytes=0-9' }],
  ])('sends not a single byte: %s', async (_, path, headers) => {
    const answer = await fetchAs(reader, `${call.url}${path}`, headers);
    expect([answer.statusCode, answer.json()]).toEqual([500, expect.objectContaining({ code: 'internal' })]);
    expect(Number(answer.headers['content-length'])).toBe(answer.rawPayload.length);
    for (const name of ['etag', 'content-range', 'accept-ranges']) expect(answer.headers).not.toHaveProperty(name);
  });

  it('sends not a single byte: a page with view=full', async () => {
    const { statusCode, body } = await fetchAs(reader, '/v1/conversations?view=full');
    expect([statusCode, body]).toEqual([500, expect.not.stringContaining(call.publicId)]);
  });

  it('does not affect routes without content', async () => {
    for (const path of ['/v1/conversations', '/v1/conversations/active', `${call.url}/history`])
      expect([path, (await fetchAs(reader, path)).statusCode]).toEqual([path, 200]);
  });
});
