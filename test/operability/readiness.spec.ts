// /healthz and /readyz of an API process whose servers are really stopped and restarted, one after the other.
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { newSecret } from '../../src/access/api-key-secret.js';
import { OWNER } from '../../src/embedded/postgres/postgres-owner.js';
import { startPostgres, type EmbeddedPostgres } from '../../src/embedded/postgres/postgres.js';
import { startTemporal, type EmbeddedTemporal } from '../../src/embedded/temporal/temporal.js';
import { eventually } from '../support/eventually.js';
import { endPrograms, startApiProgram, startProgram, type Program } from '../support/programs.js';
import { newRootKey } from '../support/root-key.js';

const adminKey = newSecret();
let folder: string;
let env: Record<string, string>;
let api: Program & { url: string };
let content: EmbeddedPostgres;
let keystore: EmbeddedPostgres;
let search: EmbeddedPostgres;
let temporal: EmbeddedTemporal;

const postgres = (name: string, port?: number): Promise<EmbeddedPostgres> =>
  startPostgres({
    dataDir: join(folder, name),
    durable: false,
    databases: [name],
    ...(port !== undefined && { port }),
  });
const startOwnTemporal = (port?: number): Promise<EmbeddedTemporal> =>
  startTemporal({
    binary: inject('services').temporalCli,
    dbFile: join(folder, 'temporal.db'),
    uiPort: false,
    durable: false,
    ...(port !== undefined && { port }),
  });

beforeAll(async () => {
  folder = mkdtempSync(join(inject('services').runDir, 'readiness-'));
  [content, keystore, search, temporal] = await Promise.all([
    postgres('content'),
    postgres('keystore'),
    postgres('search'),
    startOwnTemporal(),
  ]);
  newRootKey(folder);
  env = {
    COLLOQUY_DATA_DIR: folder,
    DATABASE_URL: content.url('content'),
    KEYSTORE_DATABASE_URL: keystore.url('keystore'),
    SEARCH_DATABASE_URL: search.url('search'),
    TEMPORAL_ADDRESS: temporal.address,
    COLLOQUY_BOOTSTRAP_KEY: adminKey,
  };
  expect(await startProgram('cli', env, ['migrate']).ended).toBe(0);
  api = await startApiProgram(env);
}, 90_000);
afterAll(async () => {
  endPrograms();
  await Promise.all([content.stop(), keystore.stop(), search.stop(), temporal.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

const ask = async (path: string): Promise<[number, string | undefined, object | undefined]> => {
  const answer = await fetch(`${api.url}${path}`, { headers: { authorization: `Bearer ${adminKey}` } });
  const { code, checks } = (await answer.json()) as { code?: string; checks?: object };
  return [answer.status, code, checks];
};

const ALL_UP = { postgres: 'up', keystore: 'up', search: 'up', temporal: 'up', object_store: 'up' };
const isBack = async (): Promise<void> => {
  await eventually(async () => isDeepStrictEqual(await ask('/readyz'), [200, undefined, ALL_UP]));
  expect((await ask('/v1/clients'))[0]).toBe(200);
};

/** While something is down the process is alive, and names what is missing within the time of a probe. */
async function isAway(code: string, down: object): Promise<void> {
  let tookMs = 0;
  // An answer may be a second old.
  await vi.waitFor(
    async () => {
      const begun = Date.now();
      expect(await ask('/readyz')).toEqual([503, code, { ...ALL_UP, ...down }]);
      tookMs = Date.now() - begun;
    },
    { timeout: 20_000, interval: 50 },
  );
  expect(tookMs).toBeLessThan(3_000);
  expect((await ask('/healthz'))[0]).toBe(200);
}

describe('/readyz', () => {
  it('names PostgreSQL while it is down, and is ready again without a restart when it is back', async () => {
    await isBack();
    await content.stop();
    await isAway('storage_unavailable', { postgres: 'down' });
    expect((await ask('/v1/clients')).slice(0, 2)).toEqual([503, 'storage_unavailable']);
    content = await postgres('content', content.port);
    await isBack();
  });

  it('names the keystore', async () => {
    await keystore.stop();
    await isAway('keystore_unavailable', { keystore: 'down' });
    keystore = await postgres('keystore', keystore.port);
    await isBack();
  });

  it('names the search database but stays ready; a process starts and stays ready without it', async () => {
    await search.stop();
    const named = [200, undefined, { ...ALL_UP, search: 'down' }];
    await eventually(async () => isDeepStrictEqual(await ask('/readyz'), named));
    expect((await ask('/v1/clients'))[0]).toBe(200);
    await api.end('SIGTERM');
    api = await startApiProgram(env);
    expect(await ask('/readyz')).toEqual(named);
    search = await postgres('search', search.port);
    await isBack();
  });

  it('names a new search database without tables until it is migrated', async () => {
    const owner = new Client({ connectionString: search.url('search') });
    await owner.connect();
    await owner.query('drop schema public cascade');
    await owner.query(`create schema public authorization ${OWNER}; grant usage on schema public to public`);
    await owner.end();
    await eventually(async () =>
      isDeepStrictEqual(await ask('/readyz'), [200, undefined, { ...ALL_UP, search: 'down' }]),
    );
    expect(await startProgram('cli', env, ['migrate']).ended).toBe(0);
    await isBack();
  });

  it('names Temporal but stays ready', async () => {
    await temporal.stop();
    const named = { ...ALL_UP, temporal: 'down' };
    // Webhooks can be stored, so a load balancer must not remove this process.
    await eventually(async () => isDeepStrictEqual(await ask('/readyz'), [200, undefined, named]));
    expect((await ask('/v1/clients'))[0]).toBe(200);
    temporal = await startOwnTemporal(temporal.port);
    await isBack();
  });

  it('names all of them if all were killed', async () => {
    const servers = [content, keystore, search, temporal];
    for (const { process } of servers) process.kill('SIGKILL');
    await Promise.all(servers.map(({ exited }) => exited));
    await isAway('storage_unavailable', { postgres: 'down', keystore: 'down', search: 'down', temporal: 'down' });
    [content, keystore, search, temporal] = await Promise.all([
      postgres('content', content.port),
      postgres('keystore', keystore.port),
      postgres('search', search.port),
      startOwnTemporal(temporal.port),
    ]);
    await isBack();
    const { code } = await api.end('SIGTERM');
    expect(code).toBe(0);
  }, 60_000);
});
