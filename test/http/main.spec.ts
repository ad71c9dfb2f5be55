// The API as a process: start, stop, and behaviour while its databases are down. Runs the built program (npm's pretest).
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request, Agent, type IncomingMessage } from 'node:http';
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { newSecret } from '../../src/access/api-key-secret.js';
import { createTestDatabases, type TestDatabases } from '../support/databases.js';
import { newRootKey } from '../support/root-key.js';

const MAIN = resolve('.test/dist/src/main.js');
const LIMIT = 67_108_864;

const adminKey = newSecret();
let databases: TestDatabases;
let dataDir: string;
const running: ChildProcess[] = [];

beforeAll(async () => {
  databases = await createTestDatabases(inject('services').postgresUrl);
  dataDir = mkdtempSync(join(tmpdir(), 'colloquy-main-'));
  newRootKey(dataDir);
});
afterEach(async () => {
  for (const child of running.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});
afterAll(async () => {
  await databases.drop();
  rmSync(dataDir, { recursive: true });
});

interface Running {
  child: ChildProcess;
  output: () => string;
  errors: () => string;
  exit: Promise<number | null>;
}

function run(env: Record<string, string> = {}): Running {
  const settings = {
    PORT: '0',
    COLLOQUY_DATA_DIR: dataDir,
    ...databases.settingsOf('api'),
    TEMPORAL_ADDRESS: inject('services').temporalAddress,
    COLLOQUY_BOOTSTRAP_KEY: adminKey,
  };
  const child = spawn(process.execPath, [MAIN], { env: { PATH: process.env['PATH'], ...settings, ...env } });
  running.push(child);
  const [output, errors] = [collect(child.stdout), collect(child.stderr)];
  return { child, output, errors, exit: once(child, 'exit').then(([code]) => code as number | null) };
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  let text = '';
  stream?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return () => text;
}

/** Resolves with its port. */
const ready = async (process: Running): Promise<number> =>
  vi.waitFor(
    () => {
      const line = process
        .output()
        .split('\n')
        .find((text) => text.includes('"msg":"api ready"'));
      expect(line, process.errors()).toBeDefined();
      return (JSON.parse(line ?? '{}') as { port: number }).port;
    },
    { timeout: 20_000, interval: 50 },
  );

/** A proxy to Postgres that can be cut. */
async function startGate(target: string): Promise<{ url: string; open(): Promise<void>; cut(): Promise<void> }> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const pipe = (socket: Socket): void => {
    const upstream = connect(Number(port), hostname);
    for (const side of [socket, upstream]) sockets.add(side.on('error', () => undefined));
    socket.pipe(upstream).pipe(socket);
  };
  let server: Server = createServer(pipe).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const own = (server.address() as AddressInfo).port;
  const url = new URL(target);
  url.port = String(own);
  return {
    url: url.toString(),
    open: async () => {
      server = createServer(pipe).listen(own, '127.0.0.1');
      await once(server, 'listening');
    },
    cut: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      sockets.clear();
      await closed;
    },
  };
}

const get = (port: number, path: string): Promise<Response> =>
  fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: `Bearer ${adminKey}` } });

describe('start', () => {
  it.each([
    ['a setting does not parse', { LOG_LEVEL: 'loud' }, /^LOG_LEVEL: .+\n$/],
    ['a bootstrap key is too short', { COLLOQUY_BOOTSTRAP_KEY: 'clq_short' }, /^COLLOQUY_BOOTSTRAP_KEY: .+\n$/],
    [
      'there is no root key',
      { COLLOQUY_ROOT_KEY: 'file:/nowhere/root.key' },
      /^Root key file \/nowhere\/root\.key is missing.+\n$/,
    ],
    ['no database is named', { DATABASE_URL: '' }, /^DATABASE_URL is missing.+\n$/],
  ])('ends with one line if %s', async (_, env, line) => {
    const process = run(env);
    expect(await process.exit).toBe(1);
    expect(process.errors()).toMatch(line);
  });

  it('ends with one line that names the port if it is in use', async () => {
    const holder = createServer().listen(0, '0.0.0.0');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    const process = run({ PORT: String(port) });
    expect(await process.exit).toBe(1);
    expect(process.errors()).toBe(`port ${port} is in use: set PORT to a free one\n`);
    const other = run({ COLLOQUY_METRICS_PORT: String(port) });
    expect(await other.exit).toBe(1);
    expect(other.errors()).toBe(`COLLOQUY_METRICS_PORT: ${port} cannot be listened on\n`);
    holder.close();
  });

  it('ends with one line that says what to run if tables are missing, and creates none', async () => {
    const url = new URL(databases.databaseUrl);
    url.pathname = '/postgres';
    const admin = new Client({ connectionString: url.toString() });
    await admin.connect();
    await admin.query('create database empty_for_main');
    url.pathname = '/empty_for_main';
    const process = run({ DATABASE_URL: url.toString() });
    expect(await process.exit).toBe(1);
    expect(process.errors()).toBe('the content database is not up to date: run "colloquy migrate"\n');
    const empty = new Client({ connectionString: url.toString() });
    empty.on('error', () => undefined); // the drop below may still reach it
    await empty.connect();
    expect((await empty.query("select 1 from pg_tables where schemaname = 'public'")).rows).toEqual([]);
    await empty.end();
    await admin.query('drop database empty_for_main with (force)');
    await admin.end();
  });

  it('waits for a database that does not exist yet', async () => {
    const gate = await startGate(databases.databaseUrl);
    await gate.cut();
    const process = run({ DATABASE_URL: gate.url });
    await vi.waitFor(() => expect(process.output()).toContain('waiting for a database'), { timeout: 10_000 });
    await gate.open();
    expect((await get(await ready(process), '/healthz')).status).toBe(200);
    await gate.cut();
  });
});

describe('stop', () => {
  it('finishes the request in flight, accepts no other, and exits 0', async () => {
    const process = run();
    const port = await ready(process);
    const blocker = new Client({ connectionString: databases.databaseUrl });
    await blocker.connect();
    await blocker.query('begin');
    await blocker.query('lock table clients in access exclusive mode');
    const slow = get(port, '/v1/clients');
    await vi.waitFor(async () => {
      const { rows } = await blocker.query(
        "select 1 from pg_locks where relation = 'clients'::regclass and not granted",
      );
      expect(rows).toHaveLength(1);
    });
    process.child.kill('SIGTERM');
    // Once it has drained.
    await vi.waitFor(() => expect(get(port, '/healthz')).rejects.toThrow(), { timeout: 10_000, interval: 100 });
    await blocker.query('rollback');
    await blocker.end();
    expect((await slow).status).toBe(200);
    expect(await process.exit).toBe(0);
    expect(process.errors()).toBe('');
  });

  it('is not delayed by idle connections', async () => {
    const process = run();
    const agent = new Agent({ keepAlive: true });
    const response = await send({ port: await ready(process), path: '/healthz', agent });
    response.resume();
    await once(response, 'end');
    const begun = Date.now();
    process.child.kill('SIGINT');
    expect(await process.exit).toBe(0);
    expect(Date.now() - begun).toBeLessThan(4_000);
    agent.destroy();
  });
});

describe('while a database is down', () => {
  it('answers 503 with its name, and works again when it is back', async () => {
    const [content, keystore] = [await startGate(databases.databaseUrl), await startGate(databases.keystoreUrl)];
    const process = run({ DATABASE_URL: content.url, KEYSTORE_DATABASE_URL: keystore.url });
    const port = await ready(process);
    const ask = async (path: string): Promise<unknown[]> => {
      const response = await get(port, path);
      const body = (await response.json()) as { code?: string; checks?: object };
      return [response.status, body.code, body.checks];
    };
    expect(await ask('/readyz')).toEqual([
      200,
      undefined,
      { postgres: 'up', keystore: 'up', search: 'up', object_store: 'up', temporal: 'up' },
    ]);
    await content.cut();
    expect(await ask('/v1/clients')).toEqual([503, 'storage_unavailable', undefined]);
    const away = { postgres: 'down', keystore: 'up', search: 'up', object_store: 'up', temporal: 'up' };
    // An answer may be a second old.
    const soon = { timeout: 5_000 };
    await vi.waitFor(async () => expect(await ask('/readyz')).toEqual([503, 'storage_unavailable', away]), soon);
    expect(await ask('/healthz')).toEqual([200, undefined, undefined]);
    await content.open();
    await keystore.cut();
    await vi.waitFor(async () => expect((await ask('/readyz'))[1]).toBe('keystore_unavailable'), soon);
    await keystore.open();
    await vi.waitFor(async () => expect((await ask('/v1/clients'))[0]).toBe(200), soon);
    process.child.kill('SIGTERM');
    expect(await process.exit).toBe(0);
    await Promise.all([content.cut(), keystore.cut()]);
  });
});

describe('webhooks over a socket', () => {
  it('are refused beyond 64 MiB, with and without a declared length', async () => {
    const process = run();
    const port = await ready(process);
    const client = await make(port, '/v1/clients', { name: 'Acme' });
    const account = { provider: 'retell', name: 'A', client_id: client, api_key: 'key_own' };
    const path = `/v1/webhooks/${await make(port, '/v1/provider-accounts', account)}`;
    const signed = { 'x-retell-signature': `v=${Date.now()},d=${'0'.repeat(64)}` };
    const told = await send(
      { port, path, method: 'POST', headers: { ...signed, 'content-length': LIMIT + 1 } },
      Buffer.alloc(1024),
    );
    expect(told.statusCode).toBe(413);
    told.destroy();
    const chunked = await send({ port, path, method: 'POST', headers: signed }, Buffer.alloc(LIMIT + 1));
    expect(chunked.statusCode).toBe(413);
    expect(chunked.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    chunked.destroy();
  });
});

async function make(port: number, path: string, body: object): Promise<string> {
  const headers = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' };
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  });
  return ((await answer.json()) as { id: string }).id;
}

interface Sent {
  port: number;
  path: string;
  method?: string;
  headers?: Record<string, string | number>;
  agent?: Agent;
}

/** The head of the response, which may arrive before the body is sent. */
async function send(options: Sent, body?: Buffer): Promise<IncomingMessage> {
  const sent = request({ host: '127.0.0.1', ...options });
  const answered = new Promise<IncomingMessage>((done, fail) => sent.once('response', done).once('error', fail));
  if (options.headers?.['content-length'] === undefined) {
    if (body !== undefined) sent.write(body);
    sent.end();
  } else sent.write(body);
  const response = await answered;
  sent.on('error', () => undefined);
  return response;
}
