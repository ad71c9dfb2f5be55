// `health` of a provider account: its webhooks.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uuidOf } from '../../src/common/ids.js';
import { eventually } from '../support/eventually.js';
import { startHttpApp, type HttpApp } from './http-app.js';
import { sendRetell } from './webhooks.js';

interface Health {
  webhook_last_at: string | null;
  webhook_last_valid_at: string | null;
  signature_failures_24h: number;
}

let http: HttpApp;
let clientId: string;

beforeAll(async () => {
  http = await startHttpApp();
  clientId = String((await http.call('POST', '/v1/clients', { body: { name: 'Acme' } })).body['id']);
});
afterAll(() => http.stop());

const account = async (): Promise<{ id: string; secret: string }> => {
  const body = { provider: 'retell', name: 'A', client_id: clientId, api_key: 'key_own' };
  const made = await http.call('POST', '/v1/provider-accounts', { body });
  return { id: String(made.body['id']), secret: body.api_key };
};
const healthOf = async (id: string): Promise<Health> =>
  (await http.call('GET', `/v1/provider-accounts/${id}`)).body['health'] as Health;
const healthWhen = (id: string, fits: (health: Health) => boolean): Promise<Health> =>
  eventually(async () => {
    const health = await healthOf(id);
    return fits(health) && health;
  }) as Promise<Health>;

const CALL = { call_id: 'call_1', call_type: 'web_call', agent_id: 'agent_1', call_status: 'ongoing' };
const forge = (id: string) => sendRetell(http, { id, secret: 'key_of_nobody' }, 'call_started', CALL);

describe('health of a provider account', () => {
  it('shows when the last webhook and the last valid one arrived, and how many had invalid signatures within a day', async () => {
    const own = await account();
    expect(await healthOf(own.id)).toMatchObject({
      webhook_last_at: null,
      webhook_last_valid_at: null,
      signature_failures_24h: 0,
    });
    const begun = new Date().toISOString();
    expect((await sendRetell(http, own, 'call_started', CALL)).status).toBe(200);
    const valid = await healthWhen(own.id, ({ webhook_last_at: at }) => at !== null);
    expect(valid.webhook_last_valid_at).toBe(valid.webhook_last_at);
    expect([valid.webhook_last_at! >= begun, valid.signature_failures_24h]).toEqual([true, 0]);
    expect((await forge(own.id)).status).toBe(401);
    const refused = await healthWhen(own.id, ({ signature_failures_24h: failures }) => failures === 1);
    expect(refused.webhook_last_valid_at).toBe(valid.webhook_last_valid_at);
    expect(refused.webhook_last_at! > valid.webhook_last_at!).toBe(true);
  });

  it('counts one day: older failures are not shown, and are deleted with the next write', async () => {
    const { id } = await account();
    await forge(id);
    await healthWhen(id, ({ signature_failures_24h: failures }) => failures === 1);
    await http.sql("update signature_failures set hour = hour - interval '26 hours' where client_id is not null");
    expect((await healthOf(id)).signature_failures_24h).toBe(0);
    await forge(id);
    await healthWhen(id, ({ signature_failures_24h: failures }) => failures === 1);
    const hours = 'select 1 from signature_failures where provider_account_id = $1';
    expect(await http.sql(hours, [uuidOf('providerAccount', id)])).toHaveLength(1);
  });

  it('changes the entity tag, but is ignored by If-Match', async () => {
    const { id } = await account();
    const url = `/v1/provider-accounts/${id}`;
    const etag = String((await http.call('GET', url)).headers['etag']);
    await forge(id);
    await healthWhen(id, ({ webhook_last_at: at }) => at !== null);
    const now = await http.call('GET', url, { headers: { 'if-none-match': etag } });
    expect([now.status, now.headers['etag'] === etag]).toEqual([200, false]);
    for (const known of [etag, String(now.headers['etag'])]) {
      const changed = await http.call('PATCH', url, { body: { name: 'A' }, headers: { 'if-match': known } });
      expect(changed.status).toBe(200);
    }
  });

  it('is written a few times a minute, however many webhooks arrive', async () => {
    const { id } = await account();
    await http.sql(`
      create table writes (at timestamptz default clock_timestamp());
      create function count_write() returns trigger language plpgsql security definer as
        $$ begin insert into writes default values; return null; end $$;
      create trigger count_writes after insert or update on webhook_health execute function count_write()`);
    for (let sent = 0; sent < 10; sent += 1) await Promise.all(Array.from({ length: 20 }, () => forge(id)));
    await healthWhen(id, ({ signature_failures_24h: failures }) => failures === 200);
    const [{ count } = { count: 0 }] = await http.sql<{ count: number }>('select count(*)::int from writes');
    expect(count).toBeLessThan(20);
    expect(count).toBeGreaterThan(0);
  });
});
