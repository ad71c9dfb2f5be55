// The webhook door as a process, against hostile senders: what it reads, holds and waits for. Runs the built program (npm's
// pretest).
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { newSecret } from '../../src/access/api-key-secret.js';
import { newUuid, publicId } from '../../src/common/ids.js';
import { createTestDatabases, type TestDatabases } from '../support/databases.js';
import { eventually } from '../support/eventually.js';
import { endPrograms, startApiProgram, type Program } from '../support/programs.js';
import { newRootKey } from '../support/root-key.js';

const MIB = 1024 * 1024;
const admin = newSecret();
const unknown = publicId('providerAccount', newUuid());

let databases: TestDatabases;
let folder: string;
let api: Program & { url: string };
let account: string;
const sockets: Socket[] = [];

beforeAll(async () => {
  databases = await createTestDatabases(inject('services').postgresUrl);
  folder = mkdtempSync(join(inject('services').runDir, 'door-'));
  newRootKey(folder);
  api = await startApiProgram({
    COLLOQUY_DATA_DIR: folder,
    ...databases.settingsOf('api'),
    TEMPORAL_ADDRESS: inject('services').temporalAddress,
    COLLOQUY_BOOTSTRAP_KEY: admin,
  });
  const client = await make('/v1/clients', { name: 'Acme' });
  account = await make('/v1/provider-accounts', {
    provider: 'retell',
    name: 'A',
    client_id: client,
    api_key: 'key_own',
  });
}, 90_000);
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  endPrograms();
  await api.ended;
  await databases.drop();
  rmSync(folder, { recursive: true, force: true });
});

async function make(path: string, body: object): Promise<string> {
  const headers = { authorization: `Bearer ${admin}`, 'content-type': 'application/json' };
  const answer = await fetch(`${api.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  return ((await answer.json()) as { id: string }).id;
}

interface Sender {
  socket: Socket;
  /** The response so far. */
  said(): string;
  /** Resolves when the connection has ended, from either side. */
  closed: Promise<void>;
}

/** A connection on which the head of a webhook has been sent. */
function sender(to: string, headers: Record<string, string | number>): Sender {
  const { port, hostname } = new URL(api.url);
  const socket = connect(Number(port), hostname);
  sockets.push(socket);
  let answer = '';
  socket.on('data', (chunk) => (answer += chunk.toString())).on('error', () => undefined);
  const lines = Object.entries({ host: 'door', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`POST /v1/webhooks/${to} HTTP/1.1\r\n${lines.join('')}\r\n`);
  return { socket, said: () => answer, closed: new Promise((resolve) => socket.once('close', () => resolve())) };
}

/** Well-formed and fresh; with an invalid secret unless one is given. */
function signature(body = '', secret = 'key_of_nobody', at = Date.now()): Record<string, string> {
  const digest = createHmac('sha256', secret).update(body).update(String(at)).digest('hex');
  return { 'x-retell-signature': `v=${at},d=${digest}` };
}

const statusOf = (one: Sender): number => Number(/^HTTP\/1\.1 (\d+)/.exec(one.said())?.[1] ?? 0);
const codeOf = (one: Sender): string => /"code":"(\w+)"/.exec(one.said())?.[1] ?? '';
const answered = (one: Sender): Promise<unknown> => eventually(async () => one.said().includes('"code"'));

/** Resident bytes of the process. */
const resident = (): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${api.pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;

/** Sends as fast as the other side reads, until everything is sent or the connection is gone. */
async function pour({ socket }: Sender, bytes: number): Promise<void> {
  const piece = Buffer.alloc(MIB / 4, 'x');
  for (let sent = 0; sent < bytes && !socket.destroyed; sent += piece.length) {
    if (socket.write(piece)) continue;
    await new Promise<void>((resolve) => {
      const go = (): void => {
        socket.off('drain', go).off('close', go);
        resolve();
      };
      socket.on('drain', go).on('close', go);
    });
  }
}

describe('a webhook whose head is invalid', () => {
  it('gets a response before its body arrives, and is cut within 10 s if that continues', async () => {
    const length = { 'content-length': 1_000 };
    const cases: [Sender, number, string][] = [
      [sender(unknown, { ...length, ...signature() }), 404, 'not_found'],
      [sender('pa_odd', { ...length, ...signature() }), 400, 'invalid_id'],
      [sender(account, length), 401, 'invalid_signature'],
      [sender(account, { ...length, 'x-retell-signature': 'v=1,d=2' }), 401, 'invalid_signature'],
      [sender(account, { ...length, ...signature('', 'key_own', Date.now() - 301_000) }), 401, 'invalid_signature'],
      [sender(account, { 'content-length': 64 * MIB + 1, ...signature() }), 413, 'too_large'],
    ];
    const begun = Date.now();
    for (const [one, status, code] of cases) {
      await answered(one);
      expect([statusOf(one), codeOf(one)]).toEqual([status, code]);
      expect(one.said()).toContain('content-type: application/problem+json');
    }
    const dripping = setInterval(() => cases.forEach(([{ socket }]) => socket.writable && socket.write('x')), 200);
    await Promise.all(cases.map(([{ closed }]) => closed));
    clearInterval(dripping);
    expect(Date.now() - begun).toBeLessThan(10_000);
  });

  it('may reuse its connection once its body has arrived', async () => {
    const one = sender(account, { 'content-length': 4 });
    await answered(one);
    one.socket.write('bodyGET /healthz HTTP/1.1\r\nhost: door\r\n\r\n');
    await eventually(async () => one.said().includes('{"status":"ok"}'));
    one.socket.destroy();
  });
});

describe('64 hostile connections', () => {
  it('are cut, and the memory stays flat', async () => {
    const before = resident();
    const heads = { 'content-length': 60 * MIB, ...signature() };
    const all = Array.from({ length: 64 }, (_, index) => sender(index % 2 === 0 ? unknown : account, heads));
    let most = before;
    const watching = setInterval(() => (most = Math.max(most, resident())), 50);
    const begun = Date.now();
    const chunked = sender(account, { 'transfer-encoding': 'chunked', ...signature() });
    chunked.socket.write('5\r\nhello\r\n');
    // Everything except the last MiB, after which the signature would be found invalid.
    await Promise.all(all.map((one) => pour(one, 59 * MIB)));
    await Promise.all(all.map(({ closed }) => closed));
    clearInterval(watching);
    // One of them may hold its 60 MiB. If all were buffered, they would hold 3.8 GiB.
    expect((most - before) / MIB).toBeLessThan(200);
    // A sender that continues for too long is cut, and may lose its response with the connection.
    const answers = all.map(statusOf).filter((status) => status !== 0);
    expect(new Set(answers)).toEqual(new Set([404, 503, 400]));
    expect(answers.length).toBeGreaterThan(all.length / 2);
    const refused = all.find((one) => statusOf(one) === 503);
    expect(refused?.said()).toMatch(/retry-after: \d/);
    await chunked.closed;
    expect(Date.now() - begun).toBeLessThan(60_000);
    expect([statusOf(chunked), codeOf(chunked)]).toEqual([400, 'invalid_request']);
  }, 90_000);

  it('do not block a small webhook of the same account', async () => {
    // Each sends almost as much as an account may hold: one must be refused, so that a quarter is left for small bodies.
    const stalled = [1, 2].map(() => sender(account, { 'content-length': 48 * MIB, ...signature() }));
    await Promise.all(stalled.map((one) => pour(one, 47.75 * MIB)));
    for (const { socket } of stalled) if (socket.writable) socket.write(Buffer.alloc(MIB / 4 - 1024));
    // Its response may be lost with its connection; a silent sender is cut later.
    await eventually(async () => stalled.some((one) => statusOf(one) === 503 || one.socket.destroyed), 8);
    const call = { call_id: 'call_1', call_type: 'web_call', agent_id: 'agent_1', call_status: 'ongoing' };
    const body = JSON.stringify({ event: 'call_started', call, padding: 'x'.repeat(200_000) });
    const headers = signature(body, 'key_own');
    const answer = await fetch(`${api.url}/v1/webhooks/${account}`, { method: 'POST', headers, body });
    expect(answer.status).toBe(200);
    for (const { socket } of stalled) socket.destroy();
  });

  it('free nothing by hanging up while their body is stored', async () => {
    const owner = new Client({ connectionString: databases.databaseUrl });
    await owner.connect();
    await owner.query('begin; lock table inbox in access exclusive mode');
    // Separate batches, one after the other: each waits 2 s for the table, then is given up.
    const [one, two] = ['a', 'b'].map((letter) => {
      const body = `{"${letter.repeat(34 * MIB)}":1}`;
      const sent = sender(account, { 'content-length': body.length, ...signature(body, 'key_own') });
      sent.socket.write(body);
      return sent;
    });
    /** Whether a body of that size is refused for lack of space. */
    const isFullFor = async (mib: number): Promise<boolean> => {
      const probe = sender(account, { 'content-length': mib * MIB, ...signature() });
      await Promise.race([answered(probe), sleep(500)]);
      probe.socket.destroy();
      return statusOf(probe) === 503;
    };
    await eventually(() => isFullFor(5));
    for (const sent of [one, two]) {
      sent?.socket.destroy();
      await sent?.closed;
    }
    await sleep(200);
    expect(await isFullFor(60)).toBe(true);
    await owner.query('rollback');
    await owner.end();
    await eventually(async () => !(await isFullFor(60)));
  }, 60_000);
});
