// A provider that lists conversations but does not deliver them: one of them must not stop a backfill.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Faults } from '../../simulators/faults.js';
import { startRetellSimulator } from '../../simulators/retell/index.js';
import { startApi, type Api } from '../support/api.js';
import { eventually, install, type Installation } from '../support/installation.js';
import { startPartlyBroken, type PartlyBroken } from '../support/partly-broken.js';
import { addAccount, addPast, backfilled, conversationOf, progressOf } from './account.js';

const CALLS = 20;
const DAYS = 2;
/** How often a record is requested before it counts as failed. */
const TRIES = 6;
/** Attempts of the activity before a conversation is skipped if it is unclear what failed. */
const ATTEMPTS_BEFORE_SKIP = 5;

let colloquy: Installation;
let api: Api;
let door: PartlyBroken;
let accountId: string;
let calls: string[];

beforeAll(async () => {
  colloquy = await install({ env: { COLLOQUY_PROVIDER_RATE: '2000' } });
  api = await startApi(colloquy);
  door = await startPartlyBroken(colloquy.retell.baseUrl);
  colloquy.allow(door.baseUrl);
  calls = addPast(colloquy, CALLS, DAYS);
  await colloquy.startWorker();
});
afterAll(async () => {
  await api.close();
  await colloquy.close();
  await door.close();
});

const runBackfill = (days: number) =>
  api.call('PATCH', `/v1/provider-accounts/${accountId}`, { key: api.adminKey, body: { backfill_days: days } });

describe('a conversation whose record always fails', () => {
  it('is skipped and counted with the reason, and the walk continues', { timeout: 120_000 }, async () => {
    const [failing = '', refused = '', unknown = ''] = [calls.at(3), calls.at(10), calls.at(-1)];
    for (const [callId, status] of [[failing, 500] as const, [refused, 422] as const, [unknown, 404] as const])
      door.broken.set(callId, status);
    accountId = await addAccount(colloquy, api, { backfill_days: DAYS, base_url: door.baseUrl });
    expect(await backfilled(api, accountId, 100)).toMatchObject({
      checked: CALLS,
      added: CALLS - 3,
      skipped: 3,
      last_error: null,
      skipped_reasons: { provider_answered_500: 1, provider_answered_422: 1, provider_does_not_know_it: 1 },
    });
    expect(await conversationOf(colloquy, accountId, failing)).toBeUndefined();
    const handle = colloquy.temporal.workflow.getHandle(`reconciliation/backfill/${accountId}`);
    await handle.result();
    const { currentDetails } = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
    for (const reason of ['provider_answered_500', 'provider_answered_422', 'provider_does_not_know_it'])
      expect(currentDetails).toMatch(new RegExp(`\\| ${reason} \\| 1 \\|`));
  });

  it('is found by a later backfill', async () => {
    door.broken.clear();
    await runBackfill(DAYS + 1);
    expect(await backfilled(api, accountId)).toMatchObject({ added: 3, skipped: 0, skipped_reasons: {} });
  });
});

describe('a provider that lists conversations and delivers none of them', () => {
  /** So that its tries follow each other without a pause. */
  const failing = (times: number): Partial<Faults> => ({
    retryAfterSeconds: 0,
    getStatus: Array.from({ length: times }, () => 503),
  });

  it('is asked again, and none is skipped', async () => {
    const { call_id: callId } = colloquy.retell.addCompleteCall({ end_timestamp: Date.now() - 60_000 }, 'withheld');
    Object.assign(colloquy.retell.faults, failing(1_000_000));
    await runBackfill(DAYS + 2);
    const { temporal } = colloquy;
    await eventually(async () => {
      const { raw } = await temporal.workflow.getHandle(`reconciliation/backfill/${accountId}`).describe();
      return (raw.pendingActivities?.[0]?.attempt ?? 0) > 2;
    }, 60);
    const waiting = { status: 'running', skipped: 0, last_error: 'provider_answered_503' };
    expect(await progressOf(api, accountId)).toMatchObject(waiting);
    colloquy.retell.faults.getStatus = [];
    expect(await backfilled(api, accountId)).toMatchObject({ added: 1, skipped: 0, last_error: null });
    expect(await conversationOf(colloquy, accountId, callId)).toMatchObject({ record_state: 'settled' });
  }, 120_000);

  it('delays a walk for some attempts only, if no other conversation is known', async () => {
    const retell = await startRetellSimulator({ port: 0, apiKey: colloquy.retell.apiKey });
    colloquy.allow(retell.baseUrl);
    retell.addCompleteCall({ end_timestamp: Date.now() - 60_000 }, 'alone');
    Object.assign(retell.faults, failing(ATTEMPTS_BEFORE_SKIP * TRIES));
    const fields = { backfill_days: 1, base_url: retell.baseUrl };
    const alone = await addAccount(colloquy, api, fields);
    const skipped_reasons = { provider_answered_503: 1 };
    expect(await backfilled(api, alone)).toMatchObject({ checked: 1, added: 0, skipped: 1, skipped_reasons });
    await retell.close();
  }, 90_000);
});
