// A secret that was rotated or revoked never works again: in no process, after no restart, not even as a bootstrap key.
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { newSecret } from '../../src/access/api-key-secret.js';
import { answerOf, makeKey } from './api-keys.js';
import { startHttpApp, type HttpApp } from './http-app.js';

let http: HttpApp;
const others: HttpApp[] = [];

beforeAll(async () => {
  http = await startHttpApp();
});
afterEach(async () => {
  for (const other of others.splice(0)) await other.stop();
});
afterAll(() => http.stop());

/** Another process of the same installation, which does not close the databases when it stops. */
async function another(env: Record<string, string> = {}): Promise<HttpApp> {
  const started = await startHttpApp({ ...http.env, ...env });
  others.push(started);
  return started;
}

const ask = async (of: HttpApp, key: string): Promise<unknown[]> =>
  answerOf(await of.call('GET', '/v1/agents', { key }));
const warnings = (of: HttpApp): unknown[] =>
  of.logged().filter(({ msg }) => msg === 'a bootstrap key of the settings was retired and stays refused');
const countKeys = async (): Promise<number> => (await http.sql('select 1 from api_keys')).length;

describe('a configured bootstrap key', () => {
  it('stays refused after its rotation, however often the API starts; the start says so once', async () => {
    const bootstrap = newSecret();
    const first = await another({ COLLOQUY_BOOTSTRAP_KEY: bootstrap });
    const list = await first.call('GET', '/v1/api-keys?limit=200', { key: bootstrap });
    const own = (list.body['data'] as { id: string; prefix: string }[]).find(
      ({ prefix }) => prefix === bootstrap.slice(0, 12),
    );
    const rotated = await first.call('POST', `/v1/api-keys/${own?.id}/rotate`, { key: bootstrap });
    expect(rotated.status).toBe(200);
    const before = await countKeys();
    for (const _ of [1, 2]) {
      const restarted = await another({ COLLOQUY_BOOTSTRAP_KEY: bootstrap });
      expect(await ask(restarted, bootstrap)).toEqual([401, 'unauthenticated']);
      expect(await ask(restarted, String(rotated.body['secret']))).toEqual([200, undefined]);
      expect(warnings(restarted)).toMatchObject([
        { setting: 'COLLOQUY_BOOTSTRAP_KEY', reason: 'rotated', api_key_id: own?.id },
      ]);
    }
    expect(await countKeys()).toBe(before);
  });

  it('stays refused after its revocation', async () => {
    const reader = newSecret();
    const first = await another({ COLLOQUY_BOOTSTRAP_READ_KEY: reader });
    const [row] = await http.sql<{ id: string }>('select id from api_keys where prefix = $1', [reader.slice(0, 12)]);
    await http.sql('update api_keys set revoked_at = now() where id = $1', [row?.id]);
    const restarted = await another({ COLLOQUY_BOOTSTRAP_READ_KEY: reader });
    expect(await ask(restarted, reader)).toEqual([401, 'key_revoked']);
    expect(warnings(restarted)).toMatchObject([{ setting: 'COLLOQUY_BOOTSTRAP_READ_KEY', reason: 'revoked' }]);
    expect(warnings(first)).toEqual([]);
  });

  it('is refused if it is the retired secret of any other key', async () => {
    const key = await makeKey(http, { role: 'consumer' });
    await http.call('POST', `${key.url}/rotate`, { key: key.secret });
    const restarted = await another({ COLLOQUY_BOOTSTRAP_KEY: key.secret });
    expect(await ask(restarted, key.secret)).toEqual([401, 'unauthenticated']);
    expect(warnings(restarted)).toHaveLength(1);
  });

  it('is refused even if a row of the table has its hash', async () => {
    const key = await makeKey(http);
    await http.call('POST', `${key.url}/rotate`, { key: key.secret });
    await http.sql('update api_keys set hash = sha256($2) where id = $1', [key.uuid, Buffer.from(key.secret)]);
    expect(await ask(await another(), key.secret)).toEqual([401, 'unauthenticated']);
  });
});

describe('another process', () => {
  it('learns of rotations and revocations at once', async () => {
    const other = await another();
    const [rotated, revoked] = [await makeKey(http), await makeKey(http)];
    for (const { secret } of [rotated, revoked]) expect((await ask(other, secret))[0]).toBe(200);
    const begun = performance.now();
    await http.call('POST', `${rotated.url}/rotate`, { key: rotated.secret });
    await http.call('DELETE', revoked.url);
    await vi.waitFor(
      async () =>
        expect([await ask(other, rotated.secret), await ask(other, revoked.secret)]).toEqual([
          [401, 'unauthenticated'],
          [401, 'key_revoked'],
        ]),
      { interval: 10, timeout: 4_000 },
    );
    // Cached keys would have been valid for 5 s.
    expect(performance.now() - begun).toBeLessThan(4_000);
  });
});
