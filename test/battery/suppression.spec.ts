// Erasures that race with the first arrival of the same conversation through another account of the client, or through two
// accounts at once. No erased data may exist afterwards.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publicId } from '../../src/common/ids.js';
import { markErased } from '../../src/erasure/mark-erased.js';
import { forEachConcurrently } from '../../src/common/concurrency.js';
import { sendTo } from '../reconciliation/account.js';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';
import { openWorkerParts } from '../support/worker-parts.js';
import { sizes } from './sizes.js';

const { races, timeoutMs } = sizes();
/** Maximum head start of either side, in milliseconds. */
const APART_MS = 8;
/** Maximum duration of an erasure after it has selected its rows, in milliseconds. */
const ERASING_MS = 5;

let colloquy: Installation;
let worker: Awaited<ReturnType<typeof openWorkerParts>>;
let accounts: [string, string];

beforeAll(async () => {
  colloquy = await install();
  worker = await openWorkerParts(colloquy.config);
  const { retell } = colloquy;
  const second = await colloquy.addAccount({ provider: 'retell', api_key: retell.apiKey, base_url: retell.baseUrl });
  accounts = [publicId('providerAccount', colloquy.accountId), publicId('providerAccount', second)];
});
afterAll(async () => {
  await worker.close();
  await colloquy.close();
});

const inInbox = async (): Promise<number> => (await colloquy.sql.query('select 1 from inbox')).rows.length;
const applyAll = (): Promise<unknown> =>
  eventually(async () => {
    worker.intake.nudge();
    return (await inInbox()) === 0;
  }, timeoutMs / 1000);
const apart = (): Promise<void> => sleep(Math.random() * APART_MS);

async function send(account: 0 | 1, callId: string): Promise<void> {
  await sendTo(colloquy, accounts[account], 'call_analyzed', callId);
  worker.intake.nudge();
}

/** The conversation of a call in the first account. */
async function idOf(callId: string): Promise<string> {
  const owner = { providerAccountId: colloquy.accountId, clientId: colloquy.clientId };
  const hash = (await colloquy.vault.identityHasher(owner)).hash('provider_id', 'call', callId);
  const { rows } = await colloquy.sql.query<{ id: string }>(
    'select id from conversation_identities where provider_account_id = $1 and identity_hash = $2',
    [colloquy.accountId, hash],
  );
  return rows[0]?.id ?? '';
}

const erase = (id: string): Promise<void> =>
  worker.database.withScope('all', async (tx) => {
    await markErased(tx, colloquy.clientId, [id]);
    await sleep(Math.random() * ERASING_MS);
  });

const newCalls = (name: string): string[] =>
  Array.from(
    { length: races / 2 },
    (_, index) => colloquy.retell.addCompleteCall({ call_id: `${name}_${index}` }, `${name} ${index}`).call_id,
  );

/** Results for the rows of the second account: erased with a record, suppressed without one, or back. */
async function outcomes(): Promise<{ covered: number; suppressed: number; back: number }> {
  const { rows } = await colloquy.sql.query<{ covered: number; suppressed: number; back: number }>(
    `select (count(*) filter (where state = 'erased' and c.id is not null))::int as covered,
       (count(*) filter (where state = 'erased' and c.id is null))::int as suppressed,
       (count(*) filter (where state <> 'erased'))::int as back
     from conversation_identities i left join conversations c on c.id = i.id where i.provider_account_id <> $1`,
    [colloquy.accountId],
  );
  return rows[0] ?? { covered: 0, suppressed: 0, back: 0 };
}

describe(`${races} erasures that race with a first application`, { timeout: timeoutMs }, () => {
  it('bring nothing back', async () => {
    worker.intake.start();
    const stored = newCalls('stored');
    await forEachConcurrently(stored, (callId) => send(0, callId));
    await applyAll();

    await forEachConcurrently(stored, async (callId) => {
      const id = await idOf(callId);
      await Promise.all([apart().then(() => erase(id)), apart().then(() => send(1, callId))]);
    });
    await forEachConcurrently(newCalls('new'), async (callId) => {
      await send(0, callId);
      const id = await idOf(callId);
      await Promise.all([apart().then(() => erase(id)), apart().then(() => send(1, callId))]);
    });
    await applyAll();
    await worker.intake.stop();

    const { back, covered, suppressed } = await outcomes();
    expect(back).toBe(0);
    expect(covered + suppressed).toBe(races);
    // Otherwise the two sides did not race.
    expect(covered).toBeGreaterThan(0);
    expect(suppressed).toBeGreaterThan(0);
    const { rows: live } = await colloquy.sql.query("select 1 from conversation_identities where state <> 'erased'");
    expect(live).toEqual([]);
  });
});
