// Receipts are kept for 35 days. A repeat that comes later is applied again: no revision, no entry in the journal.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { install, type Installation } from '../support/installation.js';
import { openWorkerParts } from '../support/worker-parts.js';

let colloquy: Installation;
let worker: Awaited<ReturnType<typeof openWorkerParts>>;

beforeAll(async () => {
  colloquy = await install();
  worker = await openWorkerParts(colloquy.config);
});
afterAll(async () => {
  await worker.close();
  await colloquy.close();
});

const rows = async (text: string) => (await colloquy.sql.query<Record<string, unknown>>(text)).rows;
const receipts = async () => (await rows('select 1 from fact_receipts')).length;
const move = (days: number) =>
  colloquy.sql.query('update fact_receipts set received_at = now() - make_interval(days => $1)', [days]);
/** All but the sealed bytes, which are new at each write, and the times when facts and turns last arrived. */
const record = async () => [
  await rows(
    "select to_jsonb(c) - '{header,transcript_header,analysis_header,last_fact_at,last_turn_at}'::text[] as plain from conversations c",
  ),
  await rows('select * from journal order by position'),
  await rows('select * from recordings'),
];

it('deletes receipts after 35 days, and a repeat after that makes no revision', async () => {
  const { call_id: callId } = colloquy.retell.addCompleteCall();
  const body = colloquy.retell.webhookBody('call_analyzed', callId);
  expect(await colloquy.sendBody(body)).toBe('stored');
  await worker.intake.round();
  const before = await record();
  expect(before[0]).toHaveLength(1);

  await move(34);
  await worker.maintenance.run(new Date());
  expect(await colloquy.sendBody(body)).toBe('duplicate');

  await move(36);
  await worker.maintenance.run(new Date());
  expect(await receipts()).toBe(0);
  expect(await colloquy.sendBody(body)).toBe('stored');
  expect(await worker.intake.round()).toBe(1);
  expect(await record()).toEqual(before);
});

it('finds all of them in a large table, a part in each run, and leaves the younger ones', async () => {
  const old = 400_000;
  await colloquy.sql.query('truncate fact_receipts');
  await colloquy.sql.query(
    `insert into fact_receipts (provider_account_id, hash, received_at)
     select $1, decode(md5(n::text), 'hex'), now() - interval '30 days' - (n % 10) * interval '1 day'
     from generate_series(1, $2::int) as n`,
    [colloquy.accountId, old],
  );
  for (let run = 0; run < 6; run += 1) await worker.maintenance.run(new Date());
  const [left] = await rows(
    "select count(*)::int as kept, min(received_at) > now() - interval '35 days' as is_young from fact_receipts",
  );
  // Of ten days, those of the first five are young enough, and that of the sixth is older by a moment.
  expect(left).toEqual({ kept: old / 2, is_young: true });
});
