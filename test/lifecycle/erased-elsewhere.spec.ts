// What was erased does not return through another account of the same client: one that was registered again after its deletion,
// or a second one of the same workspace.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startElevenLabsSimulator } from '../../simulators/elevenlabs/index.js';
import { publicId, uuidOf } from '../../src/common/ids.js';
import { markErased } from '../../src/erasure/mark-erased.js';
import { suppressionLock } from '../../src/inbox/suppression.js';
import { identifyListed } from '../../src/reconciliation/identify-listed.js';
import { ListedIdentities } from '../../src/reconciliation/listed-identities.js';
import {
  addAccount,
  addPast,
  backfilled,
  conversationOf,
  conversationsOf,
  healthOf,
  requestCounts,
  sendTo,
} from '../reconciliation/account.js';
import { seedAccount, seedClient } from '../support/accounts.js';
import { startApi, type Api } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';
import { openWorkerParts } from '../support/worker-parts.js';

let colloquy: Installation;
let api: Api;
let worker: Awaited<ReturnType<typeof openWorkerParts>>;

beforeAll(async () => {
  colloquy = await install();
  api = await startApi(colloquy);
  worker = await openWorkerParts(colloquy.config);
});
afterAll(async () => {
  await worker.close();
  await api.close();
  await colloquy.close();
});

const NO_PAST = { backfill_days: 0 };
const inInbox = async () => (await colloquy.sql.query('select 1 from inbox')).rows.length;
const applyAll = async () => {
  while ((await worker.intake.round()) > 0);
  expect(await inInbox()).toBe(0);
};
const erase = (ids: string[]) => worker.database.withScope('all', (tx) => markErased(tx, colloquy.clientId, ids));
const deleteAccount = async (accountId: string) => {
  const { status } = await api.call('DELETE', `/v1/provider-accounts/${accountId}`, { key: api.adminKey });
  expect(status).toBe(204);
};
const identitiesOf = async (accountId: string) =>
  (
    await colloquy.sql.query<{ id: string; state: string; erased_at: Date | null; has_record: boolean }>(
      `select i.id, i.state, i.erased_at, c.id is not null as has_record from conversation_identities i
       left join conversations c on c.id = i.id where i.provider_account_id = $1 order by i.id`,
      [uuidOf('providerAccount', accountId)],
    )
  ).rows;

/** An account with calls that are stored and then erased; the account is deleted. */
async function erasedCalls(names: string[]): Promise<string[]> {
  const accountId = await addAccount(colloquy, api, NO_PAST);
  const callIds = names.map((name) => colloquy.retell.addCompleteCall({ call_id: name }, name).call_id);
  for (const callId of callIds) await sendTo(colloquy, accountId, 'call_analyzed', callId);
  await applyAll();
  const stored = await conversationsOf(colloquy, accountId);
  expect(stored).toHaveLength(names.length);
  await erase(stored.map(({ id }) => id));
  await deleteAccount(accountId);
  return callIds;
}

describe('an account that was deleted and registered again', () => {
  it('brings nothing back by webhooks, and the journal says so once a delivery', async () => {
    const callIds = await erasedCalls(['webhook_1', 'webhook_2']);
    const again = await addAccount(colloquy, api, NO_PAST);
    for (const callId of callIds) await sendTo(colloquy, again, 'call_analyzed', callId);
    await applyAll();
    const rows = await identitiesOf(again);
    expect(rows).toEqual(
      callIds.map(() => ({ id: expect.any(String), state: 'erased', erased_at: expect.any(Date), has_record: false })),
    );
    for (const { id } of rows) {
      expect(await colloquy.store.journal(id)).toMatchObject([{ action: 'ingest.suppressed', actor_type: 'system' }]);
      expect(await api.call('GET', `/v1/conversations/${publicId('conversation', id)}`)).toMatchObject({ status: 410 });
      await expect(worker.vault.existingConversationKeys(id, ['record'])).rejects.toMatchObject({
        reason: 'key_missing',
      });
    }
    // The row is now known as erased by itself.
    for (const callId of callIds) await sendTo(colloquy, again, 'call_ended', callId);
    await applyAll();
    expect(await conversationsOf(colloquy, again)).toEqual([]);
    expect(await colloquy.store.journal(rows[0]?.id ?? '')).toHaveLength(2);
  });

  it('is not even asked for it, by a backfill or a poll', async () => {
    const past = addPast(colloquy, 3, 5);
    const live = colloquy.retell.addCall({ call_id: 'live_again' }).call_id;
    const first = await addAccount(colloquy, api, NO_PAST);
    for (const callId of past) await sendTo(colloquy, first, 'call_analyzed', callId);
    await sendTo(colloquy, first, 'call_started', live);
    await applyAll();
    await erase((await conversationsOf(colloquy, first)).map(({ id }) => id));
    await deleteAccount(first);
    const ended = { end_timestamp: Date.now() - 3 * 86_400_000, duration_ms: 30_000 };
    const kept = colloquy.retell.addCompleteCall({ call_id: 'kept', ...ended }, 'kept').call_id;
    colloquy.retell.requests.length = 0;

    await colloquy.startWorker();
    const again = await addAccount(colloquy, api, { backfill_days: 10, poll_active_seconds: 2 });
    await backfilled(api, again);
    await eventually(async () => (await healthOf(api, again))?.live === 1);
    await eventually(async () => conversationOf(colloquy, again, kept));
    await colloquy.stopWorkers();

    expect(requestCounts(colloquy, [...past, live], 'get')).toEqual(new Map([[0, past.length + 1]]));
    for (const callId of [...past, live]) expect(await conversationOf(colloquy, again, callId)).toBeUndefined();
  });

  it('stores no recording of it', async () => {
    const elevenlabs = await startElevenLabsSimulator({ apiKey: 'xi_test', webhookSecret: 'wsec_test' });
    try {
      const account = { api_key: 'xi_test', webhook_secret: 'wsec_test', base_url: elevenlabs.baseUrl };
      const { conversation_id: callId } = elevenlabs.addCompleteConversation({}, { seed: 'with audio' });
      const body = elevenlabs.webhookBody('post_call_audio', callId);
      const request = { rawBody: Buffer.from(body), headers: { 'elevenlabs-signature': elevenlabs.sign(body) } };
      const receive = async (): Promise<string> => {
        const id = publicId('providerAccount', await colloquy.addAccount({ provider: 'elevenlabs', ...account }));
        await colloquy.door.receive(id, request);
        await applyAll();
        return id;
      };
      const files = colloquy.recordingFiles();
      const first = await receive();
      const stored = colloquy.recordingFiles();
      expect(stored.length).toBeGreaterThan(files.length);
      await erase((await conversationsOf(colloquy, first)).map(({ id }) => id));
      const second = await receive();
      expect(colloquy.recordingFiles()).toEqual(stored);
      expect(await identitiesOf(second)).toMatchObject([{ state: 'erased', has_record: false }]);
    } finally {
      await elevenlabs.close();
    }
  });

  it('cannot reserve it, should it be erased after the list was read', async () => {
    const [callId = ''] = await erasedCalls(['reserved_1']);
    const again = await addAccount(colloquy, api, NO_PAST);
    const accountId = uuidOf('providerAccount', again);
    const account = await worker.accounts.find(accountId);
    if (account === null) throw new Error('there is no account');
    const [{ identity } = { identity: undefined }] = await identifyListed(worker.vault, account, [
      { providerKind: 'call', providerId: callId, providerAgentId: null, startTime: null, isOver: true },
    ]);
    if (identity === undefined) throw new Error('it is not identified');
    expect(await new ListedIdentities(worker.database).reserve(identity, 'backfill')).toBe('known');
  });
});

describe('another client with the same workspace', () => {
  it('keeps its own conversation', async () => {
    const callIds = await erasedCalls(['of_others']);
    const { sql, vault, retell } = colloquy;
    const clientId = await seedClient({ sql, vault });
    const theirs = await seedAccount({ sql, vault }, clientId, {
      provider: 'retell',
      api_key: retell.apiKey,
      base_url: retell.baseUrl,
    });
    await sendTo(colloquy, publicId('providerAccount', theirs), 'call_analyzed', callIds[0] ?? '');
    await applyAll();
    expect(await identitiesOf(publicId('providerAccount', theirs))).toMatchObject([
      { state: 'live', has_record: true },
    ]);
  });
});

describe('while an erasure has the lock of a conversation', () => {
  it('intake leaves that one out, does not wait, and applies the others', async () => {
    const accountId = await addAccount(colloquy, api, NO_PAST);
    const second = await addAccount(colloquy, api, NO_PAST);
    const [callId, other] = ['locked', 'neighbour'].map(
      (name) => colloquy.retell.addCompleteCall({ call_id: name }, name).call_id,
    ) as [string, string];
    await sendTo(colloquy, accountId, 'call_analyzed', callId);
    await applyAll();
    const [{ id } = { id: '' }] = await conversationsOf(colloquy, accountId);
    await worker.database.withScope('all', async (tx) => {
      expect(await markErased(tx, colloquy.clientId, [id])).toEqual([id]);
      for (const one of [callId, other]) await sendTo(colloquy, second, 'call_analyzed', one);
      const from = performance.now();
      while ((await worker.intake.round()) > 0);
      expect(performance.now() - from).toBeLessThan(2_000);
      expect(await inInbox()).toBe(1);
      expect(await conversationOf(colloquy, second, other)).toBeDefined();
    });
    await applyAll();
    expect(await conversationOf(colloquy, second, callId)).toBeUndefined();
    expect((await identitiesOf(second)).map(({ state }) => state).toSorted()).toEqual(['erased', 'live']);
  });

  it('a fact that is applied at once waits for it, for two seconds at most', async () => {
    const accountId = await addAccount(colloquy, api, NO_PAST);
    const callId = colloquy.retell.addCompleteCall({ call_id: 'awaited' }, 'awaited').call_id;
    await sendTo(colloquy, accountId, 'call_analyzed', callId);
    const { rows } = await colloquy.sql.query<{ identity_hash: Buffer }>(
      'select identity_hash from conversation_identities where provider_account_id = $1',
      [uuidOf('providerAccount', accountId)],
    );
    const identityHash = rows[0]?.identity_hash ?? Buffer.alloc(0);
    const account = await worker.accounts.find(uuidOf('providerAccount', accountId));
    if (account === null) throw new Error('there is no account');
    const apply = () => worker.facts.apply({ account, identityHash });
    const holder = await colloquy.sql.connect();
    const lock = `select pg_advisory_lock(${suppressionLock('suppression_hash')}) from conversation_identities where identity_hash = $1`;
    try {
      await holder.query(lock, [identityHash]);
      await expect(apply()).rejects.toMatchObject({ code: 'storage_unavailable' });
      const applied = apply();
      await holder.query('select pg_advisory_unlock_all()');
      await applied;
    } finally {
      holder.release(true);
    }
    expect(await conversationOf(colloquy, accountId, callId)).toBeDefined();
  });
});
