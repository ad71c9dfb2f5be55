// Where an account's API key is sent: never to an address that is not public, nor to another origin without a new key.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uuidOf } from '../../src/common/ids.js';
import { SYSTEM_CLIENT } from '../../src/vault/vault.service.js';
import { startHttpApp, type Called, type HttpApp } from './http-app.js';

const LISTED = 'http://127.0.0.1:4001';
const PUBLIC = 'https://93.184.215.14';

let http: HttpApp;
let clientId: string;

beforeAll(async () => {
  http = await startHttpApp({ COLLOQUY_EGRESS_ALLOW: '127.0.0.1:4001, 10.1.0.0/16' });
  clientId = String((await http.call('POST', '/v1/clients', { body: { name: 'Acme' } })).body['id']);
});
afterAll(() => http.stop());

const make = (fields: object = {}): Promise<Called> => {
  const account = { provider: 'elevenlabs', name: 'Main', client_id: clientId, api_key: 'key_first', backfill_days: 0 };
  return http.call('POST', '/v1/provider-accounts', { body: { ...account, ...fields } });
};
const patch = (id: unknown, body: object): Promise<Called> =>
  http.call('PATCH', `/v1/provider-accounts/${String(id)}`, { body });
const refusal = ({ status, body }: Called) => [status, body['code'], (body['errors'] as object[])?.[0]];
const NOT_ALLOWED = [422, 'address_not_allowed', { pointer: '/base_url', detail: expect.any(String) }];
const KEY_MISSING = [400, 'invalid_request', { pointer: '/api_key', detail: expect.any(String) }];

describe('the base_url of an account', () => {
  it.each([
    ...['http://127.0.0.1:4002', 'https://127.0.0.1', 'https://localhost', 'https://2130706433', 'https://10.2.0.1'],
    ...['https://[::1]', 'https://[::ffff:10.2.0.1]', 'https://169.254.169.254', 'https://metadata.google.internal'],
    ...['http://93.184.215.14', 'http://api.example.com', 'http://10.1.0.1'],
  ])('may not be %s', async (base_url) => {
    expect(refusal(await make({ base_url }))).toEqual(NOT_ALLOWED);
    const { body } = await make();
    expect(refusal(await patch(body['id'], { base_url, api_key: 'key_second' }))).toEqual(NOT_ALLOWED);
  });

  it.each([LISTED, `${LISTED}/v1`, PUBLIC, 'https://10.1.0.1:8443', 'https://nowhere.invalid'])(
    'may be %s',
    async (base_url) => {
      const made = await make({ base_url });
      expect([made.status, made.body['base_url']]).toEqual([201, base_url]);
    },
  );

  it('needs a key for another origin', async () => {
    const { body } = await make({ base_url: PUBLIC });
    const id = body['id'];
    for (const base_url of [LISTED, `${PUBLIC}:8443`, null]) {
      expect(refusal(await patch(id, { base_url }))).toEqual(KEY_MISSING);
    }
    // Back and forth in one request, or through another field, is no way around that.
    expect(refusal(await patch(id, { base_url: LISTED, webhook_secret: 'whsec' }))).toEqual(KEY_MISSING);
    expect((await http.call('GET', `/v1/provider-accounts/${String(id)}`)).body['base_url']).toBe(PUBLIC);
    expect((await patch(id, { base_url: LISTED, api_key: 'key_second' })).body['base_url']).toBe(LISTED);
    expect((await patch(id, { base_url: null, api_key: 'key_third' })).body['base_url']).toBeNull();
  });

  it('may change its path without a key', async () => {
    const { body } = await make({ base_url: PUBLIC });
    const moved = await patch(body['id'], { base_url: `${PUBLIC}/eu` });
    expect([moved.status, moved.body['base_url']]).toEqual([200, `${PUBLIC}/eu`]);
  });

  it('leaves an entry in the system log when its origin changes, and the URL nowhere', async () => {
    const { body } = await make();
    await patch(body['id'], { base_url: PUBLIC, api_key: 'key_second' });
    await patch(body['id'], { base_url: `${PUBLIC}/eu` });
    const entries = await http.sql<{ client_id: string; action: string; entry: string }>(
      'select client_id, action, row_to_json(j)::text as entry from journal j where $1 = any(object_ids) order by position',
      [uuidOf('providerAccount', String(body['id']))],
    );
    expect(entries.map(({ action }) => action)).toEqual([
      'provider_account.created',
      'provider_account.updated',
      'provider_account.address_changed',
      'provider_account.updated',
    ]);
    expect(new Set(entries.map((entry) => entry.client_id))).toEqual(new Set([SYSTEM_CLIENT]));
    expect(entries.map(({ entry }) => entry).join()).not.toContain('93.184');
  });
});
