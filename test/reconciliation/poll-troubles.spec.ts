// Polls of a provider that does not give all that it lists, or has had enough.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type Api } from '../support/api.js';
import { eventually, install, type Installation } from '../support/installation.js';
import { startPartlyBroken, type PartlyBroken } from '../support/partly-broken.js';
import { addAccount, conversationOf } from './account.js';

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

/** Deletes the account, and waits until no poll of it is to come or under way: faults are for the next account alone. */
async function end(accountId: string): Promise<void> {
  await api.call('DELETE', `/v1/provider-accounts/${accountId}`, { key: api.adminKey });
  const { schedule, workflow } = colloquy.temporal;
  const isGone = (): Promise<boolean> =>
    schedule
      .getHandle(`poll/${accountId}`)
      .describe()
      .then(
        () => false,
        () => true,
      );
  const running = `WorkflowId STARTS_WITH 'poll/${accountId}' and ExecutionStatus = 'Running'`;
  await eventually(async () => (await isGone()) && (await workflow.count(running)).count === 0);
}

/** A poll that said so. */
const pollWith = (accountId: string, problem: string) =>
  eventually(async () => {
    const query = `WorkflowId STARTS_WITH 'poll/${accountId}' and ExecutionStatus = 'Completed'`;
    for await (const { workflowId, runId } of colloquy.temporal.workflow.list({ query })) {
      const result: unknown = await colloquy.temporal.workflow.getHandle(workflowId, runId).result();
      if (result !== null && typeof result === 'object' && 'problem' in result && result.problem === problem)
        return result;
    }
    return undefined;
  });
const lists = (): number => colloquy.retell.requests.filter(({ path }) => path === '/v3/list-calls').length;

describe('a poll', () => {
  it('makes the others known and asks for what has vanished, when one of the list cannot be had', async () => {
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

  it('asks for what has vanished at the rate of the account', async () => {
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
    // A quarter of a second may be spent at once.
    expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(((VANISHED - 1) * 1_000) / RATE - 300);
    await end(accountId);
  });

  it('is not sent while the provider wants us to stay away', async () => {
    colloquy.retell.faults.retryAfterSeconds = 600;
    colloquy.retell.faults.listStatus = [429];
    const accountId = await polled();
    await pollWith(accountId, 'provider_answered_429');
    const before = lists();
    const isLater = await eventually(async () => {
      const { count } = await colloquy.temporal.workflow.count(
        `WorkflowId STARTS_WITH 'poll/${accountId}' and ExecutionStatus = 'Completed'`,
      );
      return count > 2;
    });
    expect(isLater).toBe(true);
    expect(lists()).toBe(before);
    await end(accountId);
  });
});
