import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../src/embedded/ports.js';
import { identityOf } from '../../src/embedded/processes.js';
import type { Run } from './support/checkout.js';
import { Checkout } from './support/checkout.js';

const READY = /Colloquy is ready after ([\d.]+) s[^]*\n {2}curl [^\n]+\n/;
const READY_MS = 60_000;
/** Progress lines, in this order. */
const STEPS = ['starting PostgreSQL', 'PostgreSQL ready', 'Temporal ready', 'migrations ready', 'starting the worker'];
const CURL = /^ {2}(curl -s .+\/v1\/conversations\/conv_\w+\/transcript\?format=text")$/m;

let checkout: Checkout;
let port: number;
let run: Run;
let curl: string;
let keys: string[];

const start = (): Run => checkout.npmRunUp({ PORT: String(port) });
const row = (name: string): string => new RegExp(`^ {2}${name} +(\\S+)$`, 'm').exec(run.stdout())?.[1] ?? '';
const paste = (): string => execFileSync('/bin/sh', ['-c', curl], { encoding: 'utf8' });

/** Runs a command in a shell without settings of the installation. */
const colloquy = (...args: string[]): { status: number | null; stdout: string; stderr: string } => {
  const { PATH } = process.env;
  return spawnSync(process.execPath, ['dist/src/cli.js', ...args], {
    cwd: checkout.dir,
    env: { PATH },
    encoding: 'utf8',
  });
};

/** All processes of the installation: `up` itself and those in its lock file. */
function processes(): Map<string, number> {
  const lock = JSON.parse(readFileSync(join(checkout.dataDir, 'up.lock'), 'utf8')) as {
    pid: number;
    children: { name: string; pid: number }[];
  };
  return new Map([['up', lock.pid], ...lock.children.map(({ name, pid }) => [name, pid] as const)]);
}

async function untilGone(pids: Iterable<number>, timeoutMs: number): Promise<void> {
  const alive = (): number[] => [...pids].filter((pid) => identityOf(pid) !== undefined);
  for (const until = Date.now() + timeoutMs; alive().length > 0 && Date.now() < until;) await sleep(50);
  expect(alive()).toEqual([]);
}

beforeAll(async () => {
  checkout = new Checkout();
  port = await freePort();
});
afterAll(async () => await checkout.remove());

describe('npm run up', { timeout: 120_000 }, () => {
  it('starts everything within a minute and prints a table with a command that shows a transcript', async () => {
    run = start();
    let last = -1;
    for (const step of STEPS) {
      await run.says(new RegExp(step), READY_MS);
      // Printed during the start, not at the end.
      expect(run.stdout()).not.toMatch(READY);
      expect(run.stdout().indexOf(step)).toBeGreaterThan(last);
      last = run.stdout().indexOf(step);
    }
    const [, seconds] = await run.says(READY, READY_MS);
    expect(Number(seconds)).toBeLessThan(READY_MS / 1000);
    keys = [row('Admin key'), row('Read key')];
    expect(run.stdout()).toMatch(/^ {2}Simulated traffic +slows to a chat every ten minutes after 1 GB of recordings/m);
    const told = readFileSync(`/proc/${processes().get('the simulators')}/cmdline`, 'utf8').split('\0');
    expect(told[told.indexOf('--max-recordings') + 1]).toBe('1000');
    curl = CURL.exec(run.stdout())?.[1] ?? '';
    for (const who of ['Customer', 'Agent']) expect(paste()).toMatch(new RegExp(`^\\[[\\d:]+\\] ${who}: .+$`, 'm'));
    for (const page of [`${row('API')}/readyz`, row('Interactive docs'), row('Temporal UI')]) {
      expect((await fetch(page)).status, page).toBe(200);
    }
    const metrics = async (name: string): Promise<string> => await (await fetch(row(name))).text();
    expect(await metrics('API metrics')).toContain('colloquy_http_request_duration_seconds_count');
    for (const name of ['ingest_lag_seconds', 'inbox_facts', 'facts_parked_total', 'recording_custody_seconds'])
      expect(await metrics('Worker metrics')).toContain(`# TYPE colloquy_${name} `);
    const get = async (path: string, key: string): Promise<number> =>
      (await fetch(`${row('API')}${path}`, { headers: { authorization: `Bearer ${key}` } })).status;
    expect(await get('/v1/clients', row('Admin key'))).toBe(200);
    expect(await get('/v1/conversations?view=full', row('Read key'))).toBe(200);
    expect(await get('/v1/clients', row('Read key'))).toBe(403);
  });

  it('is found by manually run commands, which print the installation that they use', () => {
    const about = `the installation that runs on ${checkout.dataDir} (npm run up, process ${processes().get('up')}):\n`;
    const wake = colloquy('wake');
    expect(wake).toMatchObject({ status: 0, stderr: '' });
    expect(wake.stdout.startsWith(about)).toBe(true);
    expect(wake.stdout).toMatch(/conversation: \d+ have work, \d+ of them had no workflow/);
    expect(colloquy('migrate').stdout).toBe(`${about}content: up to date\nkeystore: up to date\nsearch: up to date\n`);
  });

  it('shows conversations of both providers', async () => {
    const count = async (provider: string): Promise<number> => {
      const path = `${row('API')}/v1/conversations?provider=${provider}`;
      const response = await fetch(path, { headers: { authorization: `Bearer ${row('Read key')}` } });
      return ((await response.json()) as { data: unknown[] }).data.length;
    };
    await expect.poll(async () => await count('retell'), { timeout: 20_000 }).toBeGreaterThan(0);
    await expect.poll(async () => await count('elevenlabs'), { timeout: 20_000 }).toBeGreaterThan(0);
  });

  it('shows conversations of several clients, one of them determined by its agent', async () => {
    const clients = async (): Promise<number> => {
      const headers = { authorization: `Bearer ${row('Read key')}` };
      const response = await fetch(`${row('API')}/v1/conversations?provider=retell&limit=200`, { headers });
      const { data } = (await response.json()) as { data: { client_id: string }[] };
      return new Set(data.map(({ client_id: id }) => id)).size;
    };
    await expect.poll(clients, { timeout: 20_000 }).toBe(2);
  });

  it('refuses a second start on the same folder and does not affect the first one', async () => {
    const second = checkout.up({ PORT: String(port) });
    expect(await second.ended).toBe(1);
    expect(second.stderr()).toContain(
      `process ${processes().get('up')}) already runs on the data folder ${checkout.dataDir}`,
    );
    expect(paste().length).toBeGreaterThan(20);
  });

  it.each(['the worker', 'the API', 'Temporal', 'PostgreSQL', 'the simulators'])(
    'reports and restarts %s when it is killed',
    async (name) => {
      const pid = processes().get(name) ?? 0;
      process.kill(pid, 'SIGKILL');
      await run.says(
        new RegExp(`${name} was killed by SIGKILL; starting it again in .*\\n[^]*${name} is back`),
        60_000,
      );
      expect(processes().get(name)).not.toBe(pid);
      expect((await fetch(row('Worker metrics'))).status).toBe(200);
      const ready = async (): Promise<boolean> =>
        await fetch(`${row('API')}/readyz`).then(
          ({ ok }) => ok,
          () => false,
        );
      for (const until = Date.now() + 20_000; !(await ready()) && Date.now() < until;) await sleep(100);
      expect(paste().length).toBeGreaterThan(20);
    },
  );

  it('stops every process within 10 s of a signal to npm, even if a request never ends', async () => {
    const pids = [...processes().values()];
    expect(pids).toHaveLength(6);
    const endless = request(`${row('API')}/v1/clients`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${row('Admin key')}`,
        'content-type': 'application/json',
        'content-length': 99,
      },
    });
    const cut = once(endless, 'error').then(() => Date.now());
    endless.write('{');
    await sleep(300);
    const begun = Date.now();
    run.process.kill('SIGINT');
    expect(await run.ended).toBe(0);
    expect(Date.now() - begun).toBeLessThan(10_000);
    await untilGone(pids, 0);
    // The request got its grace period; then the API ended by itself.
    expect((await cut) - begun).toBeGreaterThan(7_000);
    for (const name of ['api', 'worker'])
      expect(readFileSync(join(checkout.dataDir, 'logs', `${name}.log`), 'utf8')).toContain(`"${name} stopped"`);
  });

  it('is no longer found by commands after it has stopped', () => {
    const wake = colloquy('wake');
    expect([wake.status, wake.stdout]).toEqual([1, '']);
    expect(wake.stderr).toMatch(/^DATABASE_URL is missing: .*npm run up/);
  });

  it('finds its data again, with the same keys, and does not print them', async () => {
    run = start();
    const [, seconds] = await run.says(READY, READY_MS);
    expect(Number(seconds)).toBeLessThan(READY_MS / 1000);
    expect(keys.map((key) => [key.startsWith('clq_'), run.stdout().includes(key)])).toEqual([
      [true, false],
      [true, false],
    ]);
    expect(run.stdout()).toContain(join(checkout.dataDir, 'keys.json'));
    curl = CURL.exec(run.stdout())?.[1] ?? '';
    expect(paste().length).toBeGreaterThan(20);
  });

  it('stops like with Ctrl-C if the npm that started it is killed', async () => {
    const pids = [...processes().values()];
    run.process.kill('SIGKILL');
    await once(run.process, 'exit');
    await expect
      .poll(() => run.stdout(), { timeout: 15_000 })
      .toMatch(/npm, which started this, has ended\n[^]*stopped after [\d.]+ s/);
    await untilGone(pids, 1_000);
  });

  it('leaves nothing running if it is killed itself', async () => {
    run = checkout.up({ PORT: String(port) });
    await run.says(READY, READY_MS);
    const pids = [...processes().values()];
    run.process.kill('SIGKILL');
    await run.ended;
    await untilGone(pids, 10_000);
  });
});
