// Polls of a provider that does not deliver everything it lists, or limits requests.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uuidOf } from '../../src/common/ids.js';
import { startApi, type Api } from '../support/api.js';
import { eventually, install, type Installation } from '../support/installation.js';
import { startPartlyBroken, type PartlyBroken } from '../support/partly-broken.js';
import { addAccount, conversationOf, healthOf } from './account.js';

/** Requests a second. */
const RATE = 4;
const VANISHED = 10;

let colloquy: Installation;
let api: Api;
let door: PartlyBroken;

beforeAll(async () => {
  colloquy = await install({ env: { COLLOQUY_PROVIDER_RATE: String(RATE) } });
  api = await startApi(colloquy);
  door = await startPartlyBroken(colloquy.retell.baseUrl);
  colloquy.allow(door.baseUrl);
  await colloquy.startWorker();
});
afterAll(async () => {
  await api.close();
  await colloquy.close();
  await door.close();
});

const polled = (): Promise<string> =>
  addAccount(colloquy, api, { backfill_days: 0, poll_active_seconds: 2, base_url: door.baseUrl });
const stateOf = async (accountId: string, callId: string) =>
  (await conversationOf(colloquy, accountId, callId))?.record_state;
const liveCall = (startedAgoMs = 0): string =>
  colloquy.retell.addCall({ start_timestamp: Date.now() - startedAgoMs }).call_id;

/** Deletes the account and waits until no poll of it is running, so that faults affect the next account only. */
async function end(accountId: string): Promise<void> {
  await api.call('DELETE', `/v1/provider-accounts/${accountId}`, { key: api.adminKey });
  await eventually(async () => (await rowOf(accountId)).lease === null);
}

interface PollRow {
  lease: string | null;
  failures: number;
  /** Seconds from the last poll to the next. */
  pause: number;
}

async function rowOf(accountId: string): Promise<PollRow> {
  const text = `
    select lease, failures, extract(epoch from next_at - last_at)::double precision as pause
    from live_polls where provider_account_id = $1`;
  const [row] = (await colloquy.sql.query<PollRow>(text, [uuidOf('providerAccount', accountId)])).rows;
  if (row === undefined) throw new Error('the account was never polled');
  return row;
}

/** The health of the account, once a poll has reported the problem. */
const pollWith = (accountId: string, problem: string) =>
  eventually(async () => {
    const health = await healthOf(api, accountId);
    return health?.problem === problem && health;
  });
const lists = (): number => colloquy.retell.requests.filter(({ path }) => path === '/v3/list-calls').length;

describe('a poll', () => {
  it('imports the others and requests conversations no longer listed, if one listed conversation is not delivered', async () => {
    const gone = liveCall();
    const accountId = await polled();
    await eventually(() => stateOf(accountId, gone));
    // The list begins with the oldest.
    const [bad, good] = [liveCall(60_000), liveCall(30_000)];
    door.broken.set(bad, 500);
    colloquy.finish(gone);
    await eventually(() => stateOf(accountId, good));
    await eventually(async () => (await stateOf(accountId, gone)) === 'settled');
    expect(await pollWith(accountId, 'provider_answered_500')).toMatchObject({ live: 2 });
    expect(await stateOf(accountId, bad)).toBeUndefined();
    door.broken.clear();
    await eventually(() => stateOf(accountId, bad));
    await end(accountId);
    for (const callId of [bad, good]) colloquy.retell.calls.remove(callId);
  });

  it('requests conversations no longer listed at the rate of the account', async () => {
    const calls = Array.from({ length: VANISHED }, () => liveCall());
    const accountId = await polled();
    await eventually(async () => (await Promise.all(calls.map((id) => stateOf(accountId, id)))).every(Boolean));
    const from = Date.now();
    for (const callId of calls) colloquy.finish(callId);
    await eventually(async () => {
      const states = await Promise.all(calls.map((id) => stateOf(accountId, id)));
      return states.every((state) => state === 'settled');
    });
    const times = colloquy.retell.requests
      .filter(({ path, atMs }) => path.startsWith('/v2/get-call/') && atMs >= from)
      .map(({ atMs }) => atMs);
    expect(times).toHaveLength(VANISHED);
    // A quarter of a second may be used at once.
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(((VANISHED - 1) * 1_000) / RATE - 300);
    await end(accountId);
  });

  it('is not sent before the time of a Retry-After', async () => {
    colloquy.retell.faults.retryAfterSeconds = 600;
    colloquy.retell.faults.listStatus = [429];
    const accountId = await polled();
    await pollWith(accountId, 'provider_answered_429');
    const before = lists();
    expect((await rowOf(accountId)).pause).toBeGreaterThan(590);
    // Not even if somebody requests one.
    for (const seconds of [3, 4]) {
      const { last_at: last } = (await healthOf(api, accountId)) ?? {};
      await api.call('PATCH', `/v1/provider-accounts/${accountId}`, {
        key: api.adminKey,
        body: { poll_active_seconds: seconds },
      });
      await eventually(async () => (await healthOf(api, accountId))?.last_at !== last);
    }
    expect(await healthOf(api, accountId)).toMatchObject({ live: null, problem: 'provider_answered_429' });
    expect(lists()).toBe(before);
    await end(accountId);
  });

  it('comes later with every failure, and at its interval again once the provider answers', async () => {
    const accountId = await polled();
    await eventually(async () => (await healthOf(api, accountId))?.live === 0);
    colloquy.retell.faults.listStatus = [500, 500];
    expect(await pollWith(accountId, 'provider_answered_500')).toMatchObject({ live: null });
    const failed = await eventually(async () => {
      const row = await rowOf(accountId);
      return row.failures === 2 && row;
    });
    expect(failed.pause).toBeGreaterThan(6);
    const well = await eventually(async () => {
      const health = await healthOf(api, accountId);
      return health?.problem === null && health;
    });
    expect(well.live).toBe(0);
    expect(await rowOf(accountId)).toMatchObject({ failures: 0 });
    expect((await rowOf(accountId)).pause).toBeLessThan(3);
    await end(accountId);
  });
});
