// A changed `silence` also applies to live conversations, whose timers were set by the old one.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publicId } from '../../src/common/ids.js';
import { startApi, type Api } from '../support/api.js';
import { install, type Installation } from '../support/installation.js';

let colloquy: Installation;
let api: Api;

beforeAll(async () => {
  // An hour of silence is allowed.
  colloquy = await install({ deadlines: { silence: 3_600 } });
  api = await startApi(colloquy);
  await colloquy.startWorker();
});
afterAll(async () => {
  await api.close();
  await colloquy.close();
});

const change = (deadlines: object) =>
  api.call('PATCH', `/v1/provider-accounts/${publicId('providerAccount', colloquy.accountId)}`, {
    key: api.adminKey,
    body: { deadlines },
  });

describe('a live call whose account gets a shorter silence', () => {
  it('is asked about after the new one, not after the old one', async () => {
    const calls = await Promise.all(['one', 'two'].map((call_id) => colloquy.liveCall({ call_id })));
    expect((await change({ silence: 1 })).status).toBe(200);
    for (const { callId } of calls) colloquy.finish(callId);
    for (const { callId } of calls) {
      expect(await colloquy.settled(callId)).toMatchObject({ status: 'completed' });
    }
  });

  it('gets no signal for an unrelated change', async () => {
    expect((await change({ audio: 60 })).status).toBe(200);
    expect((await colloquy.sql.query('select 1 from account_rearms')).rows).toEqual([]);
  });
});
