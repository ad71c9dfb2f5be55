import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type Api } from '../support/api.js';
import { eventually, install, type Installation } from '../support/installation.js';
import {
  addAccount,
  addPast,
  backfilled,
  conversationOf,
  conversationsOf,
  progressOf,
  requestCounts,
} from './account.js';

let colloquy: Installation;
let api: Api;

beforeAll(async () => {
  colloquy = await install({ env: { COLLOQUY_PROVIDER_RATE: '2000' } });
  api = await startApi(colloquy);
  await colloquy.startWorker();
});
afterAll(async () => {
  await api.close();
  await colloquy.close();
});

const change = (accountId: string, body: object) =>
  api.call('PATCH', `/v1/provider-accounts/${accountId}`, { key: api.adminKey, body });
const failed = (accountId: string) =>
  eventually(async () => {
    const progress = await progressOf(api, accountId);
    return progress.status === 'failed' && progress;
  });

describe('the backfill of an account', () => {
  it('is none if nobody requests one', async () => {
    const accountId = await addAccount(colloquy, api, { backfill_days: 0 });
    expect(await progressOf(api, accountId)).toMatchObject({ status: 'none', checked: 0, done_until: null });
    await change(accountId, { name: 'Other', api_key: 'key_other' });
    expect((await colloquy.sql.query('select 1 from workflow_commands')).rows).toEqual([]);
    const handle = colloquy.temporal.workflow.getHandle(`reconciliation/backfill/${accountId}`);
    await expect(handle.describe()).rejects.toThrow('not found');
  });

  it('imports everything that the provider has, including live and incomplete conversations', async () => {
    const [callId = ''] = addPast(colloquy, 1, 1);
    const live = colloquy.retell.addCall().call_id;
    const unanalysed = colloquy.retell.addCompleteCall({ end_timestamp: Date.now() - 5_000 }, 'unanalysed').call_id;
    colloquy.retell.calls.update(unanalysed, { call_analysis: undefined });
    const old = colloquy.retell.addCompleteCall({ end_timestamp: Date.now() - 2 * 86_400_000 }, 'old').call_id;
    colloquy.retell.calls.update(old, { recording_url: undefined, recording_multi_channel_url: undefined });
    const accountId = await addAccount(colloquy, api, { backfill_days: 3 });
    expect(await backfilled(api, accountId)).toMatchObject({ checked: 4, added: 4, skipped: 0 });
    const stateOf = async (id: string) => (await conversationOf(colloquy, accountId, id))?.record_state;
    expect(await stateOf(callId)).toBe('settled');
    expect(await stateOf(live)).toBe('open');
    expect(await stateOf(unanalysed)).toBe('settling');
    // No point in waiting a day for the recording of a call of the day before yesterday.
    expect(await conversationOf(colloquy, accountId, old)).toMatchObject({
      record_state: 'settled',
      audio_state: 'absent',
    });
    colloquy.retell.analyze(unanalysed);
    await eventually(async () => (await stateOf(unanalysed)) === 'settled');
    for (const id of [callId, live, unanalysed, old]) colloquy.retell.calls.remove(id);
  });

  it('fails if credentials are refused, and continues where it was with valid ones', async () => {
    const [callId = ''] = addPast(colloquy, 1, 1);
    const accountId = await addAccount(colloquy, api, { backfill_days: 2, api_key: 'key_wrong' });
    expect(await failed(accountId)).toMatchObject({ last_error: 'provider_answered_401' });
    await change(accountId, { api_key: colloquy.retell.apiKey });
    expect(await backfilled(api, accountId)).toMatchObject({ added: 1, last_error: null });
    expect(await conversationOf(colloquy, accountId, callId)).toMatchObject({ record_state: 'settled' });
  });

  it('waits as long as a Retry-After demands', async () => {
    const known = colloquy.retell.calls.size;
    const { faults } = colloquy.retell;
    faults.retryAfterSeconds = 1;
    faults.getStatus = [429, 429];
    const accountId = await addAccount(colloquy, api, { backfill_days: 2 });
    const from = Date.now();
    expect(await backfilled(api, accountId)).toMatchObject({ added: known, skipped: 0 });
    expect(Date.now() - from).toBeGreaterThan(1_000);
  });

  it('skips what is known when more days are requested', async () => {
    const accountId = await addAccount(colloquy, api, { backfill_days: 2 });
    await backfilled(api, accountId);
    const known = await conversationsOf(colloquy, accountId);
    const earlier = colloquy.retell.addCompleteCall({ end_timestamp: Date.now() - 3 * 86_400_000 }, 'earlier').call_id;
    await change(accountId, { backfill_days: 5 });
    const progress = await backfilled(api, accountId);
    expect(progress).toMatchObject({ checked: known.length + 1, added: 1 });
    expect(requestCounts(colloquy, [earlier], 'get')).toEqual(new Map([[1, 1]]));
    const etags = new Set<unknown>();
    for (const days of [6, 7, 8, 9, 10, 11]) {
      await change(accountId, { backfill_days: days });
      await backfilled(api, accountId);
      etags.add((await api.call('GET', `/v1/provider-accounts/${accountId}`, { key: api.adminKey })).headers['etag']);
    }
    expect(etags.size).toBe(6);
  });

  it('ends when the account is deleted', async () => {
    addPast(colloquy, 40, 1);
    colloquy.retell.faults.getDelayMs = 300;
    const accountId = await addAccount(colloquy, api, { backfill_days: 1 });
    await eventually(async () => (await progressOf(api, accountId)).status === 'running');
    await api.call('DELETE', `/v1/provider-accounts/${accountId}`, { key: api.adminKey });
    const handle = colloquy.temporal.workflow.getHandle(`reconciliation/backfill/${accountId}`);
    await eventually(async () => (await handle.describe()).status.name === 'COMPLETED', 30);
    colloquy.retell.faults.getDelayMs = 0;
  });
});
