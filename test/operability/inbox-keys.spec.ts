// Keys of inbox days, a week later: what was sealed under them can never be opened again, unless it still waits.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publicId } from '../../src/common/ids.js';
import { KeyDestroyed } from '../../src/vault/errors.js';
import type { VaultService } from '../../src/vault/vault.service.js';
import { install, type Installation } from '../support/installation.js';
import { openWorkerParts } from '../support/worker-parts.js';

const DAY_MS = 86_400_000;
const TODAY = new Date().toISOString().slice(0, 10);

let colloquy: Installation;
/** A vault with an empty cache. */
let vault: VaultService;
let worker: Awaited<ReturnType<typeof openWorkerParts>>;
/** An account whose fact still waits, and one that received only a fact without a conversation. */
let [waiting, unknown] = ['', ''];
let waitingCall: string;

beforeAll(async () => {
  colloquy = await install();
  worker = await openWorkerParts(colloquy.config);
  ({ vault } = worker);
  await appliedFact();
  const account = { provider: 'retell', api_key: colloquy.retell.apiKey, base_url: colloquy.retell.baseUrl };
  [waiting, unknown] = [await colloquy.addAccount(account), await colloquy.addAccount(account)];
  waitingCall = colloquy.retell.addCompleteCall({}, 'waits for a week').call_id;
  await deliver(waiting, colloquy.retell.webhookBody('call_analyzed', waitingCall));
  await deliver(unknown, '{"event":"unheard_of"}');
});
afterAll(async () => {
  await worker.close();
  await colloquy.close();
});

async function appliedFact(): Promise<void> {
  await colloquy.startWorker();
  const { call_id: callId } = colloquy.retell.addCompleteCall({}, 'applied');
  await colloquy.send('call_analyzed', callId);
  await colloquy.settled(callId);
  await colloquy.stopWorkers();
}

async function deliver(accountId: string, body: string): Promise<void> {
  const headers = { 'x-retell-signature': colloquy.retell.sign(body) };
  await colloquy.door.receive(publicId('providerAccount', accountId), { rawBody: Buffer.from(body), headers });
}

const tidyIn = (days: number): Promise<void> => worker.maintenance.run(new Date(Date.now() + days * DAY_MS));

/** Accounts whose key of today still exists. */
const living = async (): Promise<string[]> =>
  (await vault.inboxKeyDays('9999-12-31')).map(({ providerAccountId }) => providerAccountId).sort();

const facts = async (): Promise<string[]> =>
  (await colloquy.sql.query<{ state: string }>('select state from inbox order by state')).rows.map(
    ({ state }) => state,
  );

describe('the key of an inbox day', () => {
  it('exists for a week', async () => {
    await tidyIn(7);
    expect(await living()).toEqual([colloquy.accountId, waiting, unknown].sort());
    expect(await facts()).toEqual(['pending', 'unknown']);
  });

  it('is then destroyed with facts that name no conversation, but kept while a fact under it waits', async () => {
    await tidyIn(8);
    expect(await living()).toEqual([waiting]);
    expect(await facts()).toEqual(['pending']);
    const { clientId } = colloquy;
    for (const providerAccountId of [colloquy.accountId, unknown])
      await expect(vault.inboxKey({ providerAccountId, clientId, day: TODAY })).rejects.toThrow(KeyDestroyed);
  });

  it('is destroyed once that fact is applied', async () => {
    await colloquy.startWorker();
    const identity = { accountId: waiting, kind: 'call', providerId: waitingCall };
    await colloquy.conversationOf(identity, ({ record_state }) => record_state === 'settled');
    await tidyIn(8);
    expect(await living()).toEqual([]);
  });
});
