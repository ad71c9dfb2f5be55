// One account used by two processes: they share its request budget, Retry-After and circuit.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { publicId } from '../../src/common/ids.js';
import type { ProviderGateway } from '../../src/providers/gateway/gateway.js';
import { NO_WAIT, AccountOnHold, type RetryPolicy } from '../../src/providers/gateway/retry-policy.js';
import type { ProviderAccount } from '../../src/providers/provider-accounts.js';
import { startApi, type Api } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';
import { openWorkerParts } from '../support/worker-parts.js';

const RATE = 10;

let colloquy: Installation;
let api: Api;
let account: ProviderAccount;
const workers: Awaited<ReturnType<typeof openWorkerParts>>[] = [];

/** A gateway as another worker process would have it: its own connections, on a machine whose clock may be fast. */
async function gateway(requestRate: number, fastMs = 0): Promise<ProviderGateway> {
  const config = { ...colloquy.config, providerRate: requestRate };
  const worker = await openWorkerParts(config, { machine: () => Date.now() + fastMs });
  workers.push(worker);
  account = (await worker.accounts.find(colloquy.accountId)) as ProviderAccount;
  return worker.gateway;
}

beforeAll(async () => {
  colloquy = await install();
  api = await startApi(colloquy);
});
afterEach(async () => {
  colloquy.retell.faults.listStatus.length = 0;
  await colloquy.sql.query('truncate provider_budgets, provider_circuits');
  await Promise.all(workers.splice(0).map((worker) => worker.close()));
});
afterAll(async () => {
  await api.close();
  await colloquy.close();
});

const query = { providerKind: 'call', from: null, to: null, live: true, cursor: null, limit: 1 };
const ask = (one: ProviderGateway, retry?: RetryPolicy): Promise<unknown> =>
  one.list(account, query, retry && { retry }).catch((error: unknown) => error);
const times = <Result>(count: number, work: () => Promise<Result>): Promise<Result[]> =>
  Promise.all(Array.from({ length: count }, work));
const health = async (): Promise<unknown> => {
  const path = `/v1/provider-accounts/${publicId('providerAccount', colloquy.accountId)}`;
  return (await api.call('GET', path, { key: api.adminKey })).body['health'];
};

describe('two processes that use one account', () => {
  it(`send it ${RATE} requests a second together`, async () => {
    const both = [await gateway(RATE), await gateway(RATE)];
    const from = Date.now();
    await Promise.all(both.map((one) => times(15, () => ask(one))));
    const sent = colloquy.retell.requests.filter(({ path, atMs }) => path.startsWith('/v3/list-calls') && atMs >= from);
    expect(sent).toHaveLength(30);
    // Alone, each would be done after one and a quarter seconds.
    expect(Date.now() - from).toBeGreaterThanOrEqual(2_000);
    for (const { atMs } of sent) {
      // Windows start again: never more than two of them overlap in a second.
      expect(sent.filter((other) => other.atMs >= atMs && other.atMs < atMs + 1_000).length).toBeLessThanOrEqual(
        2 * RATE,
      );
    }
  });

  it('both pause if one receives a Retry-After', async () => {
    const [one, other] = [await gateway(1_000), await gateway(1_000)];
    expect(await ask(other)).not.toBeInstanceOf(Error);
    colloquy.retell.faults.retryAfterSeconds = 30;
    colloquy.retell.faults.listStatus.push(429);
    expect(await ask(one, NO_WAIT)).toMatchObject({ status: 429, retryAfterMs: 30_000 });
    const told = Date.now();
    await eventually(async () => (await ask(other, NO_WAIT)) instanceof AccountOnHold);
    expect(Date.now() - told).toBeLessThan(1_500);
    const before = colloquy.retell.requests.length;
    expect(await ask(other, NO_WAIT)).toMatchObject({ status: 429, problem: 'provider_answered_429' });
    expect(colloquy.retell.requests).toHaveLength(before);
  });

  it.each([3_600_000, -3_600_000])('agree on times if the clock of one is %d ms fast', async (fastMs) => {
    const [one, other] = [await gateway(1_000, fastMs), await gateway(1_000)];
    colloquy.retell.faults.retryAfterSeconds = 3;
    colloquy.retell.faults.listStatus.push(429);
    await ask(one, NO_WAIT);
    const told = await ask(other, NO_WAIT);
    expect(told).toBeInstanceOf(AccountOnHold);
    expect((told as AccountOnHold).retryAfterMs).toBeGreaterThan(1_000);
    expect((told as AccountOnHold).retryAfterMs).toBeLessThanOrEqual(3_000);
    await sleep(3_000);
    colloquy.retell.faults.retryAfterSeconds = undefined;
    colloquy.retell.faults.listStatus.push(...Array.from({ length: 5 }, () => 503));
    await times(5, () => ask(one));
    // Its trial is due within two seconds, for both.
    await eventually(async () => !((await ask(other, NO_WAIT)) instanceof Error), 4);
    expect(await ask(one, NO_WAIT)).not.toBeInstanceOf(Error);
  });

  it("do not wait for the other's clock if one has used up the budget", async () => {
    const [fast, slow] = [await gateway(RATE, 3_600_000), await gateway(RATE)];
    await times(RATE, () => ask(fast));
    const from = Date.now();
    await times(RATE, () => ask(slow));
    expect(Date.now() - from).toBeLessThan(3_000);
  });

  it('share its circuit, which the account shows, and which new credentials may try at once', async () => {
    const [one, other] = [await gateway(1_000), await gateway(1_000)];
    expect(await health()).toMatchObject({ circuit: 'closed' });
    colloquy.retell.faults.listStatus = Array.from({ length: 20 }, () => 401);
    await times(5, () => ask(one));
    expect(await health()).toMatchObject({ circuit: 'open' });
    expect(await ask(other, NO_WAIT)).toBeInstanceOf(AccountOnHold);
    await colloquy.sql.query("update provider_circuits set retry_at = now() + interval '1 hour'");
    await sleep(1_100);
    expect(await ask(one, NO_WAIT)).toBeInstanceOf(AccountOnHold);
    colloquy.retell.faults.listStatus.length = 0;
    const path = `/v1/provider-accounts/${publicId('providerAccount', colloquy.accountId)}`;
    const body = { api_key: 'key_renewed' };
    expect((await api.call('PATCH', path, { key: api.adminKey, body })).status).toBe(200);
    await eventually(async () => !((await ask(other, NO_WAIT)) instanceof Error));
    expect(await health()).toMatchObject({ circuit: 'closed' });
  });
});
