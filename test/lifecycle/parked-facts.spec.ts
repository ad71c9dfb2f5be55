import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newUuid, publicId } from '../../src/common/ids.js';
import { startApi, type Api } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';

let colloquy: Installation;
let api: Api;
let callId: string;
/** uuid of the fact that cannot be decrypted. */
let fact: string;
let operator: string;
let stranger: string;

/** Flips one byte; applied twice, it restores the original. */
const tamper = async (where: string): Promise<string> => {
  const text = `
    update inbox set sealed = set_byte(sealed, length(sealed) - 1, 255 - get_byte(sealed, length(sealed) - 1))
    where ${where} returning id`;
  return (await colloquy.sql.query<{ id: string }>(text)).rows[0]?.id ?? '';
};
const row = async () =>
  (
    await colloquy.sql.query<{ state: string; key_day: Date | null }>(
      'select state, key_day from inbox where id = $1',
      [fact],
    )
  ).rows[0];
const parked = (): Promise<true> =>
  eventually(async () => {
    await colloquy.sql.query('update inbox set retry_at = now() where id = $1 and retry_at > now()', [fact]);
    return (await row())?.state === 'parked';
  });
async function operatorKey(clientIds: string[]): Promise<string> {
  const body = { name: 'operator', role: 'operator', client_ids: clientIds.map((id) => publicId('client', id)) };
  const made = await api.call('POST', '/v1/api-keys', { key: api.adminKey, body });
  return String(made.body['secret']);
}
const list = (key: string, query = '') => api.call('GET', `/v1/parked-facts${query}`, { key });
const retry = (key: string, id = publicId('parkedFact', fact), headers: Record<string, string> = {}) =>
  api.call('POST', `/v1/parked-facts/${id}/retry`, { key, headers });

beforeAll(async () => {
  colloquy = await install();
  api = await startApi(colloquy);
  const other = newUuid();
  const sealed = Buffer.from('-');
  await colloquy.sql.query('insert into clients (id, sealed) values ($1, $2)', [other, sealed]);
  operator = await operatorKey([colloquy.clientId]);
  stranger = await operatorKey([other]);
  callId = colloquy.retell.addCall({}, 'poisoned').call_id;
  await colloquy.send('call_started', callId);
  colloquy.finish(callId);
  await colloquy.send('call_ended', callId);
  fact = await tamper("kind = 'call_ended'");
  await colloquy.startWorker();
  await parked();
});
afterAll(async () => {
  await api.close();
  await colloquy.close();
});

describe('parked facts', () => {
  it('are listed for operators of their client, with the reason and without content', async () => {
    const { id: conversationId } = await colloquy.call(callId);
    const { status, body, text } = await list(operator);
    expect(status).toBe(200);
    expect(body).toEqual({
      object: 'list',
      has_more: false,
      next_cursor: null,
      data: [
        {
          id: publicId('parkedFact', fact),
          object: 'parked_fact',
          state: 'parked',
          client_id: publicId('client', colloquy.clientId),
          provider_account_id: publicId('providerAccount', colloquy.accountId),
          conversation_id: publicId('conversation', conversationId),
          source: 'webhook',
          kind: 'call_ended',
          reason: 'open_failed',
          attempts: 5,
          received_at: expect.any(String),
          parked_at: expect.any(String),
        },
      ],
    });
    expect(text).not.toContain(callId);
    const account = publicId('providerAccount', newUuid());
    expect((await list(operator, `?provider_account_id=${account}`)).body['data']).toEqual([]);
  });

  it('are invisible to everybody else', async () => {
    expect((await list(stranger)).body['data']).toEqual([]);
    expect((await retry(stranger)).body).toMatchObject({ status: 404, code: 'not_found' });
    expect((await retry(operator, publicId('parkedFact', newUuid()))).status).toBe(404);
    expect((await retry(operator, 'fact_x')).body).toMatchObject({ code: 'invalid_id' });
    expect((await row())?.state).toBe('parked');
  });

  it('fail again and are parked again while the cause persists', async () => {
    expect((await retry(operator)).body).toMatchObject({ state: 'pending', attempts: 0, reason: null });
    await parked();
    expect((await list(operator)).body['data']).toEqual([expect.objectContaining({ attempts: 5 })]);
  });

  it('are retried together, by reason and account, within the clients of the key, and once by one key', async () => {
    const together = (key: string, body: object, headers: Record<string, string> = {}) =>
      api.call('POST', '/v1/parked-facts/retry', { key, body, headers });
    const account = publicId('providerAccount', colloquy.accountId);
    const fits = { reason: 'open_failed', provider_account_id: account };
    const answers = [
      await together(stranger, {}),
      await together(operator, { ...fits, reason: 'another' }),
      await together(operator, { ...fits, provider_account_id: publicId('providerAccount', newUuid()) }),
    ];
    expect(answers.map(({ status, body }) => [status, body])).toEqual(answers.map(() => [202, { retried: 0 }]));
    expect((await row())?.state).toBe('parked');
    const headers = { 'idempotency-key': 'together-1' };
    const first = await together(operator, fits, headers);
    expect([first.status, first.body]).toEqual([202, { retried: 1 }]);
    await parked();
    // The same request again gets the same response without effect: the fact stays parked.
    expect((await together(operator, fits, headers)).body).toEqual({ retried: 1 });
    expect((await together(operator, {}, headers)).body).toMatchObject({ code: 'idempotency_mismatch' });
    expect((await row())?.state).toBe('parked');
    expect((await together(operator, { reason: 1, more: true })).status).toBe(400);
  });

  it('outlive the key of their day, and are applied once the cause is repaired', async () => {
    await tamper(`id = '${fact}'`);
    // Maintenance, which every worker runs at its start.
    await colloquy.startWorker();
    await eventually(async () => (await row())?.key_day === null);
    const today = new Date().toISOString().slice(0, 10);
    await colloquy.vault.destroyInboxKey(colloquy.accountId, today);
    const headers = { 'idempotency-key': 'retry-1' };
    const first = await retry(operator, undefined, headers);
    expect([first.status, first.body['state']]).toEqual([202, 'pending']);
    await eventually(async () => (await row()) === undefined);
    const conversation = await colloquy.call(callId, ({ status }) => status === 'completed');
    const again = await retry(operator, undefined, headers);
    expect([again.status, again.body['id'], again.body['state']]).toEqual([202, first.body['id'], 'applied']);
    expect((await retry(operator)).status).toBe(404);
    const entries = await colloquy.store.journal(conversation.id);
    expect(entries.filter(({ action }) => action === 'fact.retried')).toEqual([
      expect.objectContaining({ actor_type: 'key', reason: 'open_failed' }),
      expect.objectContaining({ actor_type: 'key', reason: 'open_failed' }),
      expect.objectContaining({ actor_type: 'key', reason: 'open_failed' }),
    ]);
  });
});
