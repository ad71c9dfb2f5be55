import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ScheduleNotFoundError } from '@temporalio/client';
import { uuidOf } from '../../src/common/ids.js';
import { startApi, type Api } from '../support/api.js';
import { eventually, install, type Installation } from '../support/installation.js';
import { addAccount, conversationOf, requestCounts } from './account.js';

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

const everySeconds = async (): Promise<number | undefined> => {
  const handle = colloquy.temporal.schedule.getHandle(`poll/${accountId}`);
  const { spec } = await handle.describe().catch((error: unknown) => {
    if (error instanceof ScheduleNotFoundError) return { spec: { intervals: [] } };
    throw error;
  });
  const every = spec.intervals?.[0]?.every;
  return every === undefined ? undefined : Number(every) / 1000;
};
const scheduled = (seconds: number | undefined): Promise<true> =>
  eventually(async () => (await everySeconds()) === seconds);
const patch = (body: object) => api.call('PATCH', `/v1/provider-accounts/${accountId}`, { key: api.adminKey, body });

describe('polling for live conversations', () => {
  it('makes known what no webhook told of, and finds its end', async () => {
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
    // Once to make it known, once when it was gone from the list: that record settled it.
    expect(requestCounts(colloquy, [callId], 'get')).toEqual(new Map([[2, 1]]));
    expect(requestCounts(colloquy, [callId], 'audio')).toEqual(new Map([[1, 1]]));
    const entries = await colloquy.store.journal(ended.id);
    expect(entries[0]).toMatchObject({ action: 'conversation.created', workflow_id: `poll/${accountId}` });
  });

  it('makes a chat known as well, and finds its end', async () => {
    const { chats } = colloquy.retell;
    const { chat_id: providerId } = chats.add();
    const subject = { accountId: uuidOf('providerAccount', accountId), kind: 'chat', providerId };
    expect(await colloquy.conversationOf(subject)).toMatchObject({ record_state: 'open', channel: 'chat' });
    chats.end(providerId);
    chats.analyze(providerId);
    const ended = await colloquy.conversationOf(subject, ({ record_state }) => record_state === 'settled', 30);
    expect(ended).toMatchObject({ status: 'completed', transcript_state: 'present' });
    const gets = colloquy.retell.requests.filter(({ path }) => path === `/get-chat/${providerId}`);
    expect(gets).toHaveLength(2);
  });

  it('asks once for the record of a conversation that stays live', async () => {
    const { call_id: callId } = colloquy.retell.addCall();
    await eventually(() => conversationOf(colloquy, accountId, callId));
    const lists = (): number => colloquy.retell.requests.filter(({ path }) => path === '/v3/list-calls').length;
    const before = lists();
    await eventually(async () => lists() > before + 1);
    expect(requestCounts(colloquy, [callId], 'get')).toEqual(new Map([[1, 1]]));
    colloquy.finish(callId);
  });

  it('costs few events a run, and keeps words out of them', async () => {
    const runs = colloquy.temporal.workflow.list({ query: "WorkflowType = 'poll' and ExecutionStatus = 'Completed'" });
    for await (const { workflowId, runId } of runs) {
      const { events = [] } = await colloquy.temporal.workflow.getHandle(workflowId, runId).fetchHistory();
      expect(events?.length).toBeLessThanOrEqual(11);
      expect(JSON.stringify(events)).not.toContain('call_');
      return;
    }
    throw new Error('no poll has completed');
  });

  it('follows the account, and comes back when Temporal has lost it', async () => {
    await scheduled(2);
    await patch({ poll_active_seconds: 60 });
    await scheduled(60);
    await patch({ poll_active_seconds: null });
    await scheduled(undefined);
    await patch({ poll_active_seconds: 30 });
    await scheduled(30);
    await colloquy.temporal.schedule.getHandle(`poll/${accountId}`).delete();
    // As at the start of every worker, and each hour.
    await colloquy.startWorker();
    await scheduled(30);
    await api.call('DELETE', `/v1/provider-accounts/${accountId}`, { key: api.adminKey });
    await scheduled(undefined);
  });
});
