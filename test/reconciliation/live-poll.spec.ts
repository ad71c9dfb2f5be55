import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uuidOf } from '../../src/common/ids.js';
import { startApi, type Api } from '../support/api.js';
import { eventually, install, type Installation } from '../support/installation.js';
import { addAccount, conversationOf, healthOf, requestCounts } from './account.js';

let colloquy: Installation;
let api: Api;
let accountId: string;

beforeAll(async () => {
  colloquy = await install();
  api = await startApi(colloquy);
  await colloquy.startWorker();
  accountId = await addAccount(colloquy, api, { backfill_days: 0, poll_active_seconds: 2 });
});
afterAll(async () => {
  await api.close();
  await colloquy.close();
});

const patch = (body: object) => api.call('PATCH', `/v1/provider-accounts/${accountId}`, { key: api.adminKey, body });

const shown = () => api.call('GET', `/v1/provider-accounts/${accountId}`, { key: api.adminKey });
const lists = (): number => colloquy.retell.requests.filter(({ path }) => path === '/v3/list-calls').length;
/** Waits until no poll is running. */
const rests = (): Promise<boolean> =>
  eventually(async () => (await colloquy.sql.query('select 1 from live_polls where lease is not null')).rowCount === 0);

describe('polling for live conversations', () => {
  it('imports what no webhook reported, and finds its end', async () => {
    const { call_id: callId } = colloquy.retell.addCall();
    const live = await eventually(() => conversationOf(colloquy, accountId, callId));
    expect(live).toMatchObject({ record_state: 'open' });
    const active = await api.call('GET', '/v1/conversations/active');
    expect(active.body['data']).toEqual([expect.objectContaining({ status: 'active' })]);
    colloquy.finish(callId);
    const ended = await eventually(async () => {
      const found = await conversationOf(colloquy, accountId, callId);
      return found?.record_state === 'settled' && found;
    }, 30);
    expect(ended).toMatchObject({ audio_state: 'present' });
    // Once to import it, and once when it was no longer listed: that record settled it.
    expect(requestCounts(colloquy, [callId], 'get')).toEqual(new Map([[2, 1]]));
    expect(requestCounts(colloquy, [callId], 'audio')).toEqual(new Map([[1, 1]]));
    const entries = await colloquy.store.journal(ended.id);
    expect(entries[0]).toMatchObject({
      action: 'conversation.created',
      actor_type: 'system',
      actor_id: `poll/${accountId}`,
      workflow_id: null,
    });
  });

  it('imports a chat as well, and finds its end', async () => {
    const { chats } = colloquy.retell;
    const { chat_id: providerId } = chats.add();
    const identity = { accountId: uuidOf('providerAccount', accountId), kind: 'chat', providerId };
    expect(await colloquy.conversationOf(identity)).toMatchObject({ record_state: 'open', channel: 'chat' });
    chats.end(providerId);
    chats.analyze(providerId);
    const ended = await colloquy.conversationOf(identity, ({ record_state }) => record_state === 'settled', 30);
    expect(ended).toMatchObject({ status: 'completed', transcript_state: 'present' });
    const gets = colloquy.retell.requests.filter(({ path }) => path === `/get-chat/${providerId}`);
    expect(gets).toHaveLength(2);
  });

  it('requests the record of a conversation that stays live once', async () => {
    const { call_id: callId } = colloquy.retell.addCall();
    await eventually(() => conversationOf(colloquy, accountId, callId));
    const before = lists();
    await eventually(async () => lists() > before + 1);
    expect(requestCounts(colloquy, [callId], 'get')).toEqual(new Map([[1, 1]]));
    colloquy.finish(callId);
  });

  it('shows in the health of its account when it ran and what it found', async () => {
    const { call_id: callId } = colloquy.retell.addCall();
    await eventually(() => conversationOf(colloquy, accountId, callId));
    const first = await eventually(async () => {
      const health = await healthOf(api, accountId);
      return (health?.live ?? 0) > 0 && health;
    });
    expect(first.problem).toBeNull();
    const etag = (await shown()).headers['etag'];
    colloquy.finish(callId);
    const next = await eventually(async () => {
      const health = await healthOf(api, accountId);
      return health?.live === 0 && health;
    });
    expect(Date.parse(next.last_at ?? '')).toBeGreaterThan(Date.parse(first.last_at ?? ''));
    // Another response has another entity tag, but does not prevent a change of settings.
    const changed = await api.call('GET', `/v1/provider-accounts/${accountId}`, {
      key: api.adminKey,
      headers: { 'if-none-match': String(etag) },
    });
    expect(changed.status).toBe(200);
    const body = { name: 'polled' };
    const headers = { 'if-match': String(etag) };
    const url = `/v1/provider-accounts/${accountId}`;
    expect((await api.call('PATCH', url, { key: api.adminKey, body, headers })).status).toBe(200);
  });

  it('adopts a new interval at once, and ends within an interval when it is switched off or its account is deleted', async () => {
    await patch({ poll_active_seconds: 3_600 });
    await rests();
    const early = lists();
    await patch({ poll_active_seconds: 2 });
    // An hour has not passed.
    await eventually(async () => lists() >= early + 3);
    await patch({ poll_active_seconds: null });
    expect(await healthOf(api, accountId)).toBeNull();
    await rests();
    const off = lists();
    await sleep(2_400);
    expect(lists()).toBe(off);
    await patch({ poll_active_seconds: 2 });
    await eventually(async () => lists() >= off + 2);
    await api.call('DELETE', `/v1/provider-accounts/${accountId}`, { key: api.adminKey });
    await rests();
    const gone = lists();
    await sleep(2_400);
    expect(lists()).toBe(gone);
  });
});
