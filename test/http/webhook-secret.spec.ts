// An account without a webhook secret is valid: it may exist for backfill and polling only.
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startHttpApp, type Called, type HttpApp } from './http-app.js';

const SECRET = 'wsec_later';
const WEBHOOK = JSON.stringify({ type: 'call_initiation_failure', data: { conversation_id: 'conv_0001' } });

let http: HttpApp;
let clientId: string;

beforeAll(async () => {
  http = await startHttpApp();
  clientId = String((await http.call('POST', '/v1/clients', { body: { name: 'Acme' } })).body['id']);
});
afterAll(() => http.stop());

const makeAccount = (provider: string): Promise<Called> => {
  const body = { provider, name: 'Main', client_id: clientId, api_key: 'key_main', backfill_days: 0 };
  return http.call('POST', '/v1/provider-accounts', { body });
};

function send(path: string, headers: Record<string, string>): Promise<Called> {
  return http.call('POST', path, {
    key: null,
    body: WEBHOOK,
    headers: { 'content-type': 'application/json', ...headers },
  });
}

function signed(secret: string): Record<string, string> {
  const time = String(Math.floor(Date.now() / 1000));
  return {
    'elevenlabs-signature': `t=${time},v0=${createHmac('sha256', secret).update(`${time}.${WEBHOOK}`).digest('hex')}`,
  };
}

describe('an ElevenLabs account without a webhook secret', () => {
  it('is created, says so, and answers webhooks with 401 until it has one', async () => {
    const made = await makeAccount('elevenlabs');
    expect([made.status, made.body['has_webhook_secret']]).toEqual([201, false]);
    const id = String(made.body['id']);
    const url = `/v1/provider-accounts/${id}`;
    for (const secret of ['', 'null', 'undefined', 'key_main', SECRET]) {
      const refused = await send(`/v1/webhooks/${id}`, signed(secret));
      expect([refused.status, refused.body['code']]).toEqual([401, 'invalid_signature']);
    }
    const given = await http.call('PATCH', url, { body: { webhook_secret: SECRET } });
    expect(given.body['has_webhook_secret']).toBe(true);
    expect((await send(`/v1/webhooks/${id}`, signed(SECRET))).status).toBe(200);
    const taken = await http.call('PATCH', url, { body: { webhook_secret: null } });
    expect(taken.body['has_webhook_secret']).toBe(false);
    expect((await send(`/v1/webhooks/${id}`, signed(SECRET))).body['code']).toBe('invalid_signature');
  });
});
