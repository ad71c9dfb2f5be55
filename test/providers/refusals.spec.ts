// How the client of each registered provider handles rate limits.
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { providerApi } from '../../src/providers/provider-apis.js';
import type { ProviderApi, ProviderConnection } from '../../src/providers/provider.js';
import { providerNamed, providerNames } from '../../src/providers/providers.js';
import { egressTo } from '../support/egress.js';
import { loadContract } from './contract.js';

let server: Server;
let baseUrl: string;
let retryAfter: string | undefined;
let requests = 0;

beforeAll(async () => {
  server = createServer((request, response) => {
    requests += 1;
    request.resume();
    const headers = { 'content-type': 'application/json', ...(retryAfter && { 'retry-after': retryAfter }) };
    response.writeHead(429, headers).end('{"detail":"too many"}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

/** Every kind of request to a provider. */
function questions(provider: ProviderApi, connection: ProviderConnection, [kind, recording]: [string, string]) {
  const query = { providerKind: kind, from: null, to: null, live: true, cursor: null };
  return {
    record: () => provider.fetchRecord(connection, { providerKind: kind, providerId: 'id_0001' }),
    list: () => provider.list(connection, query),
    recording: () => provider.openRecording(connection, recording, AbortSignal.timeout(5_000)),
  };
}

const inOneMinute = (): string => new Date(Date.now() + 60_000).toUTCString();

describe.each(providerNames())('the client of %s, after a 429', async (name) => {
  const contract = await loadContract(name);
  const ask = async (what: 'record' | 'list' | 'recording'): Promise<unknown> => {
    const connection = { ...contract.credentials, baseUrl, egress: egressTo([baseUrl]) };
    const asked = questions(providerApi(name), connection, [
      providerNamed(name).kinds[0] ?? '',
      contract.recordingAt(baseUrl),
    ]);
    requests = 0;
    return asked[what]().catch((error: unknown) => error);
  };

  describe.each(['record', 'list', 'recording'] as const)('for a %s', (what) => {
    it('returns Retry-After in seconds', async () => {
      retryAfter = '7';
      expect(await ask(what)).toMatchObject({ status: 429, retryable: true, retryAfterMs: 7_000 });
    });

    it('returns Retry-After as a date', async () => {
      retryAfter = inOneMinute();
      const error = (await ask(what)) as { retryAfterMs: number };
      expect(error).toMatchObject({ status: 429, retryable: true });
      expect(error.retryAfterMs).toBeGreaterThan(50_000);
      expect(error.retryAfterMs).toBeLessThanOrEqual(60_000);
    });

    it('returns no time if there is none', async () => {
      retryAfter = undefined;
      expect(await ask(what)).toMatchObject({ status: 429, retryable: true, retryAfterMs: null });
    });

    it('sends one request: retries are up to the caller', async () => {
      await ask(what);
      expect(requests).toBe(1);
    });
  });
});
