// Nothing is lost with real processes: they are killed, servers stay down, and the result is audited.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { auditAccount, auditOnce, auditReceipts, gapOf } from './audit.js';
import { backfilled } from './backfill.js';
import { crashInTurn } from './crashes.js';
import { made, startBattery, type Battery } from './installation.js';
import { say, secondsSince } from './report.js';
import { finishedAt, send, untilSettled, wrongWith, type Sent } from './settled.js';
import { sizes } from './sizes.js';
import { runTraffic, type Ledger, type Line } from './traffic.js';

const size = sizes();
let battery: Battery;

beforeAll(async () => {
  battery = await startBattery();
}, 120_000);
// Parts that a failed test left dead must not fail the next one.
beforeEach(() => battery.deployment.repair());
afterAll(() => battery.close());

const call = (path: string): ReturnType<Battery['deployment']['call']> => battery.deployment.call(path);
const isReady = async (): Promise<boolean> => (await call('/readyz')).status === 200;

describe('while worker, API, Temporal and Postgres are killed in turn', () => {
  let ledgers: Map<Line, Ledger>;

  it(
    'accepts webhooks and settles every known conversation',
    async () => {
      let isOver = false;
      const traffic = runTraffic(battery.lines, size.traffic).finally(() => (isOver = true));
      const kills = await crashInTurn(battery.deployment, size.crashes, () => isOver);
      ledgers = await traffic;
      const from = Date.now();
      for (const [{ provider }, ledger] of ledgers)
        say(`${kills} kills; ${provider.name}: ${ledger.acceptedBodies().length} of ${ledger.size} webhooks accepted`);
      expect(kills).toBeGreaterThanOrEqual(4 * size.crashes.rounds);
      await untilSettled(battery, size.settle);
      say(`all settled ${secondsSince(from)} after the last webhook`);
      expect(battery.deployment.losses).toEqual([]);
    },
    size.timeoutMs,
  );

  it(
    'has every webhook that got a 200 in its conversation, with transcript, analysis and recording',
    async () => {
      for (const [line, ledger] of ledgers) expect(await auditAccount(battery.deployment, line, ledger)).toEqual([]);
      expect(await auditReceipts(battery.deployment, battery.sql, ledgers)).toEqual([]);
    },
    size.timeoutMs,
  );

  it('has nothing twice', async () => {
    expect(await auditOnce(battery.deployment, battery.sql)).toEqual([]);
  });

  it(
    'misses only conversations without any accepted webhook, and a backfill imports exactly those',
    async () => {
      for (const [line, ledger] of ledgers) {
        const { lost, unheardOf } = await gapOf(battery.deployment, line, ledger);
        expect(lost).toEqual([]);
        const { added, checked } = await backfilled(battery.deployment, line.accountId, size.settle);
        say(`${line.provider.name}: the backfill checked ${checked} and imported ${added} without an accepted webhook`);
        expect(added).toBe(unheardOf.length);
        await untilSettled(battery, size.settle);
        expect(await gapOf(battery.deployment, line, ledger)).toEqual({ lost: [], unheardOf: [] });
        expect(await auditAccount(battery.deployment, line, ledger)).toEqual([]);
      }
      expect(await auditOnce(battery.deployment, battery.sql)).toEqual([]);
    },
    size.timeoutMs,
  );
});

describe('while Temporal is down', () => {
  it(
    'accepts webhooks, answers reads, and catches up by itself afterwards',
    async () => {
      const { deployment } = battery;
      const sent: Sent[] = [];
      await deployment.kill('temporal');
      for (const until = Date.now() + size.temporalAway * 1000; Date.now() < until; await sleep(500)) {
        const now = finishedAt(battery, `without Temporal ${sent.length}`);
        expect(await Promise.all(now.map(send))).toEqual(now.map(() => 200));
        sent.push(...now);
      }
      const answer = await call('/readyz');
      expect(answer).toMatchObject({
        status: 200,
        body: { checks: { postgres: 'up', keystore: 'up', temporal: 'down' } },
      });
      // Facts are applied meanwhile; only the work of workflows waits.
      await eventually(async () => (await battery.sql.query('select 1 from inbox')).rows.length === 0);
      const words = (await wrongWith(battery, sent)).filter((wrong) => /not known|things said/.test(wrong));
      expect(words).toEqual([]);
      await deployment.start('temporal');
      const from = Date.now();
      await untilSettled(battery, size.settle);
      say(`${sent.length} conversations caught up with ${secondsSince(from)} after Temporal came back`);
      expect(await wrongWith(battery, sent)).toEqual([]);
      expect(deployment.losses).toEqual([]);
    },
    size.timeoutMs,
  );
});

describe('while Postgres is down', () => {
  it(
    'acknowledges nothing, reports what is down, and continues without a restart',
    async () => {
      const { deployment } = battery;
      const sent = finishedAt(battery, 'without Postgres');
      await deployment.kill('postgres');
      for (const until = Date.now() + size.postgresAway * 1000; Date.now() < until; await sleep(500)) {
        expect(await Promise.all(sent.map(send))).toEqual(sent.map(() => 503));
        expect((await call('/v1/conversations')).status).toBe(503);
      }
      const away = { postgres: 'down', keystore: 'down', temporal: 'up' };
      expect(await call('/readyz')).toMatchObject({ status: 503, body: { checks: away } });
      expect((await call('/healthz')).status).toBe(200);
      await deployment.start('postgres');
      await eventually(isReady);
      expect(await wrongWith(battery, sent)).toHaveLength(sent.length);
      expect(await Promise.all(sent.map(send))).toEqual(sent.map(() => 200));
      await untilSettled(battery, size.settle);
      expect(await wrongWith(battery, sent)).toEqual([]);
      expect(deployment.losses).toEqual([]);
    },
    size.timeoutMs,
  );
});

describe('a fact that cannot be decrypted', () => {
  // Flips one byte of the sealed payload; a second run restores it.
  const TAMPER = `
    update inbox set sealed = set_byte(sealed, length(sealed) - 1, 255 - get_byte(sealed, length(sealed) - 1))
    where id = any($1)`;
  let poisoned: Sent[];
  let ids: string[];

  it(
    'is parked with its reason, and its neighbours are applied',
    async () => {
      const { deployment, sql } = battery;
      await deployment.kill('worker');
      poisoned = finishedAt(battery, 'poisoned');
      expect(await Promise.all(poisoned.map(send))).toEqual(poisoned.map(() => 200));
      ids = (await sql.query<{ id: string }>('select id from inbox')).rows.map(({ id }) => id);
      expect(ids).toHaveLength(poisoned.length);
      await sql.query(TAMPER, [ids]);
      const neighbours = finishedAt(battery, 'neighbour');
      expect(await Promise.all(neighbours.map(send))).toEqual(neighbours.map(() => 200));
      await deployment.start('worker');
      await eventually(async () => (await wrongWith(battery, neighbours)).length === 0, size.settle);
      await eventually(async () => {
        await sql.query("update inbox set retry_at = now() where state = 'pending' and retry_at > now()");
        return (await sql.query("select 1 from inbox where state = 'parked'")).rows.length === ids.length;
      });
      const { rows } = await sql.query('select parked_reason, attempts from inbox');
      expect(rows).toEqual(ids.map(() => ({ parked_reason: 'open_failed', attempts: 5 })));
    },
    size.timeoutMs,
  );

  it(
    'is applied when an operator retries it after the repair',
    async () => {
      const { deployment, sql } = battery;
      const body = { name: 'Operator', role: 'operator', client_ids: '*' };
      const { secret: key = '' } = await made(deployment, '/v1/api-keys', body);
      const { body: list } = await deployment.call('/v1/parked-facts', { key });
      const parked = list['data'] as { id: string; reason: string }[];
      expect(parked.map(({ reason }) => reason)).toEqual(ids.map(() => 'open_failed'));
      await sql.query(TAMPER, [ids]);
      for (const { id } of parked)
        expect((await deployment.call(`/v1/parked-facts/${id}/retry`, { key, method: 'POST' })).status).toBe(202);
      await untilSettled(battery, size.settle);
      expect(await wrongWith(battery, poisoned)).toEqual([]);
      expect((await deployment.call('/v1/parked-facts', { key })).body['data']).toEqual([]);
      expect(deployment.losses).toEqual([]);
    },
    size.timeoutMs,
  );
});
