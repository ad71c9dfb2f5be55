// A signed webhook names a recording at an internal address: it is not fetched, and the record says why there is none.
import type { AddressInfo } from 'node:net';
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publicId } from '../../src/common/ids.js';
import { startApi, type Api } from '../support/api.js';
import { install, type Installation } from '../support/installation.js';
import { startCanary } from './hosts.js';

let colloquy: Installation;
let api: Api;
let url: string;
let canary: Awaited<ReturnType<typeof startCanary>>;

beforeAll(async () => {
  canary = await startCanary();
  colloquy = await install({ deadlines: { analysis: 5, transcript: 5, audio: 2 } });
  api = await startApi(colloquy);
  await api.app.listen(0, '127.0.0.1');
  url = `http://127.0.0.1:${(api.app.getHttpServer().address() as AddressInfo).port}`;
  await colloquy.startWorker();
});
afterAll(async () => {
  await api.close();
  await colloquy.close();
  await canary.close();
});

/** As the provider does, over HTTP; whoever owns an account can do this. */
async function sendSigned(body: string): Promise<number> {
  const at = String(Date.now());
  const digest = createHmac('sha256', colloquy.retell.apiKey).update(body).update(at).digest('hex');
  const headers = { 'content-type': 'application/json', 'x-retell-signature': `v=${at},d=${digest}` };
  const path = `/v1/webhooks/${publicId('providerAccount', colloquy.accountId)}`;
  return (await fetch(`${url}${path}`, { method: 'POST', body, headers })).status;
}

describe('a recording at an internal address', () => {
  it('is not fetched, however the address is spelled', { timeout: 90_000 }, async () => {
    const spellings = ['http://127.0.0.1:%/secret.wav', 'https://localhost:%/secret.wav', 'https://2130706433:%/'];
    await Promise.all(spellings.map((spelling) => staysAway(spelling.replace('%', String(canary.port)))));
    expect(canary.connections()).toBe(0);
  });
});

/** Checks that the call settles without the recording at `link`, and says why. */
async function staysAway(link: string): Promise<void> {
  const { call_id: callId } = colloquy.retell.addCompleteCall({ recording_url: link }, link);
  expect(await sendSigned(colloquy.retell.webhookBody('call_analyzed', callId))).toBe(200);
  const { id } = await colloquy.settled(callId, 60);
  const headers = { authorization: `Bearer ${api.readKey}` };
  const path = `${url}/v1/conversations/${publicId('conversation', id)}`;
  const record = (await (await fetch(path, { headers })).json()) as { completeness: object };
  expect(record.completeness).toMatchObject({ audio: { state: 'absent', reason: 'address_not_allowed' } });
  const audio = await fetch(`${path}/audio`, { headers });
  expect([audio.status, await audio.json()]).toMatchObject([404, { code: 'audio_absent' }]);
}
