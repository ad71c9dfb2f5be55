// ElevenLabs sends no start webhook: live conversations are found by the list only, and so is the past.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startElevenLabsSimulator, type ElevenLabsSimulator } from '../../simulators/elevenlabs/index.js';
import { uuidOf } from '../../src/common/ids.js';
import { startApi, type Api } from '../support/api.js';
import { eventually, install, type Installation } from '../support/installation.js';
import { addAccount, backfilled, conversationsOf } from './account.js';

const PAST = 40;

let colloquy: Installation;
let api: Api;
let elevenlabs: ElevenLabsSimulator;

beforeAll(async () => {
  colloquy = await install({ env: { COLLOQUY_PROVIDER_RATE: '2000' } });
  api = await startApi(colloquy);
  elevenlabs = await startElevenLabsSimulator({ apiKey: 'xi_test', webhookSecret: 'wsec_test' });
  colloquy.allow(elevenlabs.baseUrl);
  await colloquy.startWorker();
});
afterAll(async () => {
  await api.close();
  await colloquy.close();
  await elevenlabs.close();
});

const account = (fields: object): Promise<string> =>
  addAccount(colloquy, api, {
    provider: 'elevenlabs',
    api_key: elevenlabs.apiKey,
    webhook_secret: elevenlabs.webhookSecret,
    base_url: elevenlabs.baseUrl,
    ...fields,
  });
const found = (accountId: string, providerId: string, state: string) =>
  colloquy.conversationOf(
    { accountId: uuidOf('providerAccount', accountId), kind: 'conversation', providerId },
    ({ record_state }) => record_state === state,
  );

describe('an ElevenLabs account', () => {
  it('finds live conversations by its list, and their end, without any webhook', async () => {
    const accountId = await account({ backfill_days: 0, poll_active_seconds: 2 });
    const { conversation_id: id } = elevenlabs.addConversation({}, { seed: 'live' });
    await found(accountId, id, 'open');
    const active = await api.call('GET', '/v1/conversations/active');
    expect(active.body['data']).toEqual([expect.objectContaining({ provider: 'elevenlabs', status: 'active' })]);
    elevenlabs.endConversation(id);
    elevenlabs.finish(id);
    expect(await found(accountId, id, 'settled')).toMatchObject({ transcript_state: 'present' });
    expect(elevenlabs.counts.of('get', id)).toBe(2);
    await api.call('DELETE', `/v1/provider-accounts/${accountId}`, { key: api.adminKey });
    elevenlabs.conversations.remove(id);
  });

  it('imports its past, each record and each recording once', async () => {
    const past = new Set<string>();
    for (let index = 0; index < PAST; index += 1) {
      const start = Math.round(Date.now() / 1000) - 3_600 - index * 4_000;
      past.add(
        elevenlabs.addCompleteConversation({ metadata: { start_time_unix_secs: start } }, { seed: `past ${index}` })
          .conversation_id,
      );
    }
    const accountId = await account({ backfill_days: 3 });
    expect(await backfilled(api, accountId)).toMatchObject({ added: PAST, skipped: 0 });
    const stored = await eventually(async () => {
      const all = await conversationsOf(colloquy, accountId);
      return all.every(({ record_state }) => record_state === 'settled') && all;
    });
    expect(stored).toHaveLength(PAST);
    expect(stored.filter(({ audio_state }) => audio_state === 'present').length).toBeGreaterThan(0);
    const timesOf = (operation: 'get' | 'audio'): number[] =>
      [...elevenlabs.counts.byRecord(operation)].flatMap(([id, times]) => (past.has(id) ? times : []));
    expect(timesOf('get')).toEqual(Array.from(past, () => 1));
    expect(timesOf('audio').every((times) => times === 1)).toBe(true);
  });
});
