// Leases of polls: over several workers, after one was killed, and while the accounts of one client hang.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startRetellSimulator } from '../../simulators/retell/index.js';
import { publicId, uuidOf } from '../../src/common/ids.js';
import { Log } from '../../src/common/log.js';
import { WorkerDatabase } from '../../src/database/database.js';
import { createDataSource } from '../../src/database/data-source.js';
import { DuePolls } from '../../src/reconciliation/due-polls.js';
import type { LivePoll } from '../../src/reconciliation/live-poll.js';
import { LEASE_MS, PollLeases } from '../../src/reconciliation/poll-leases.js';
import { seedAccount, seedClient } from '../support/accounts.js';
import { startApi, type Api } from '../support/api.js';
import { eventually, install, type Installation } from '../support/installation.js';
import { endPrograms, startWorkerProgram } from '../support/programs.js';
import { addAccount, healthOf } from './account.js';

const MANY = 200;
/** More than the concurrent polls that one worker runs for a client. */
const HANGING = 40;

let colloquy: Installation;
let api: Api;
/** Polls of earlier tests. */
let before = 0;

beforeAll(async () => {
  colloquy = await install();
  api = await startApi(colloquy);
});
afterEach(async () => {
  colloquy.retell.faults.listDelayMs = 0;
  await colloquy.stopWorkers();
  // Nothing of it must remain for the next test.
  await colloquy.sql.query('delete from live_polls');
  before = askedAt().length;
});
afterAll(async () => {
  endPrograms();
  await api.close();
  await colloquy.close();
});

const askedAt = (): number[] =>
  colloquy.retell.requests.filter(({ path }) => path === '/v3/list-calls').map(({ atMs }) => atMs);
/** When the list of calls was requested in this test, epoch milliseconds. */
const polls = (): number[] => askedAt().slice(before);
const pausesOf = (times: number[]): number[] => times.slice(1).map((at, index) => at - (times[index] ?? 0));
const polled = (seconds: number): Promise<string> =>
  addAccount(colloquy, api, { backfill_days: 0, poll_active_seconds: seconds });

/** Accounts of a client that are polled every hour, inserted without the API. */
async function seedPolled(count: number, clientId: string, baseUrl = colloquy.retell.baseUrl): Promise<string[]> {
  const account = { provider: 'retell', api_key: colloquy.retell.apiKey, base_url: baseUrl };
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) ids.push(await seedAccount(colloquy, clientId, account));
  await colloquy.sql.query('update provider_accounts set poll_active_seconds = 3600 where id = any($1)', [ids]);
  await colloquy.sql.query(
    'insert into live_polls (provider_account_id, client_id) select unnest($1::uuid[]), $2::uuid',
    [ids, clientId],
  );
  return ids;
}

async function workerDatabase(): Promise<WorkerDatabase> {
  const source = createDataSource({ url: colloquy.env['DATABASE_URL'] ?? '', role: 'colloquy_worker', poolSize: 2 });
  await source.initialize();
  return new WorkerDatabase(source);
}

const polledAt = async (ids: string[]): Promise<number> => {
  const text = 'select 1 from live_polls where provider_account_id = any($1) and last_at is not null';
  return (await colloquy.sql.query(text, [ids])).rows.length;
};

describe('polling by several workers', () => {
  it('polls once per interval, however many workers there are', async () => {
    await Promise.all([colloquy.startWorker(), colloquy.startWorker()]);
    await polled(2);
    await eventually(async () => polls().length >= 5);
    const times = polls();
    const [first = 0, last = 0] = [times[0], times.at(-1)];
    // A poll may begin half a second late, but later ones do not drift: the mean stays.
    expect((last - first) / (times.length - 1)).toBeGreaterThan(1_700);
    expect(Math.min(...pausesOf(times))).toBeGreaterThan(1_000);
  });

  it('never runs two polls at a time, even if a poll is requested during another one', async () => {
    const delayMs = 700;
    colloquy.retell.faults.listDelayMs = delayMs;
    await Promise.all([colloquy.startWorker(), colloquy.startWorker()]);
    const accountId = await polled(2);
    for (const seconds of [3, 2, 3, 2, 3]) {
      const known = polls().length;
      await eventually(async () => polls().length > known);
      await api.call('PATCH', `/v1/provider-accounts/${accountId}`, {
        key: api.adminKey,
        body: { poll_active_seconds: seconds },
      });
    }
    // Each poll requests two lists, one after the other.
    expect(polls().length).toBeGreaterThanOrEqual(5);
    expect(Math.min(...pausesOf(polls()))).toBeGreaterThanOrEqual(2 * delayMs);
  });

  it('is taken over within the lease of a worker that was killed during a poll', { timeout: 90_000 }, async () => {
    colloquy.retell.faults.listDelayMs = 60_000;
    const accountId = await polled(2);
    const worker = await startWorkerProgram(colloquy.env);
    await eventually(async () => polls().length === 1);
    await worker.end('SIGKILL');
    colloquy.retell.faults.listDelayMs = 0;
    const { rows } = await colloquy.sql.query<{ until: Date }>('select leased_until as until from live_polls');
    const until = rows[0]?.until.getTime() ?? 0;
    await colloquy.startWorker();
    const health = await eventually(async () => {
      const found = await healthOf(api, accountId);
      return found?.live === 0 && found;
    });
    const [, next = 0] = polls();
    expect(next).toBeGreaterThanOrEqual(until);
    expect(Date.parse(health.last_at ?? '')).toBeLessThan(until + 3_000);
  });

  it('ignores a worker that has lost its lease', async () => {
    const accountId = uuidOf('providerAccount', await polled(3_600));
    const database = await workerDatabase();
    const leases = new PollLeases(database);
    const claim = async () => (await leases.claim({ most: 1, mostOfClient: 1, running: new Map() }))[0];
    const result = { problem: null, failed: false, nextMs: 1_000 };
    try {
      const lost = await claim();
      expect(lost).toMatchObject({ accountId, everySeconds: 3_600, failures: 0 });
      expect(await claim()).toBeUndefined();
      // It was paused for longer than its lease.
      await colloquy.sql.query('update live_polls set leased_until = now()');
      const held = await claim();
      if (lost === undefined || held === undefined) throw new Error('nothing was claimed');
      expect(await leases.renew([lost, held])).toEqual(new Set([held]));
      await leases.finish(lost, { ...result, live: 1 });
      expect(await healthOf(api, publicId('providerAccount', accountId))).toMatchObject({ last_at: null, live: null });
      await leases.finish(held, { ...result, live: 2 });
      expect(await healthOf(api, publicId('providerAccount', accountId))).toMatchObject({ live: 2 });
    } finally {
      await database.close();
    }
  });
});

describe('a poll that has lost its lease to another one of the same worker', () => {
  it('does not affect the other one when it ends', { timeout: 60_000 }, async () => {
    await polled(2);
    const database = await workerDatabase();
    const ends: (() => void)[] = [];
    const view = { live: 0, added: 0, asked: 0, problem: null, retryAfterMs: null };
    // A provider that answers when the test says so.
    const poll = () => new Promise<typeof view>((resolve) => ends.push(() => resolve(view)));
    const polls = new DuePolls(new PollLeases(database), { poll } as unknown as LivePoll, new Log('silent'));
    polls.start();
    try {
      await eventually(() => Promise.resolve(ends.length === 1));
      // As after a database outage that was longer than a lease.
      await colloquy.sql.query('update live_polls set leased_until = now()');
      await eventually(() => Promise.resolve(ends.length === 2));
      ends[0]?.();
      await sleep(LEASE_MS + 3_000);
      expect(ends).toHaveLength(2);
    } finally {
      for (const end of ends) end();
      await polls.stop();
      await database.close();
    }
  });
});

describe('polling of many accounts', () => {
  it(`polls ${MANY} accounts once each, and starts nothing in Temporal`, async () => {
    const ids = await seedPolled(MANY, colloquy.clientId);
    await Promise.all([colloquy.startWorker(), colloquy.startWorker()]);
    await eventually(async () => (await polledAt(ids)) === MANY, 60);
    expect(polls()).toHaveLength(MANY);
    const { workflow, schedule } = colloquy.temporal;
    expect((await workflow.count()).count).toBe(0);
    for await (const { scheduleId } of schedule.list()) throw new Error(`a schedule ${scheduleId}`);
  });

  it('polls accounts of other clients while those of one hang', async () => {
    const hanging = await seedPolled(HANGING, colloquy.clientId);
    await colloquy.sql.query("update live_polls set next_at = now() - interval '1 minute'");
    colloquy.retell.faults.listDelayMs = 60_000;
    await colloquy.startWorker();
    await eventually(async () => polls().length >= 16);
    const other = await startRetellSimulator({ port: 0, apiKey: colloquy.retell.apiKey });
    colloquy.allow(other.baseUrl);
    try {
      // Another simulated provider, which answers.
      const ids = await seedPolled(3, await seedClient(colloquy), other.baseUrl);
      await eventually(async () => (await polledAt(ids)) === 3, 5);
      expect(await polledAt(hanging)).toBe(0);
      expect(polls()).toHaveLength(16);
    } finally {
      await other.close();
    }
  });
});
