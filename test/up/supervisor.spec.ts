import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeService } from '../../src/embedded/node-service.js';
import { identityOf } from '../../src/embedded/processes.js';
import { StartError } from '../../src/embedded/start-error.js';
import type { Service, SupervisedChild } from '../../src/embedded/supervisor.js';
import { Supervisor } from '../../src/embedded/supervisor.js';

let folder: string;
let reports: string[];
let children: SupervisedChild[];
let seen: Set<number>;
let supervisor: Supervisor;

/** A Node program in a file that is ready once it has printed `ready`. */
const service = (name: string, code: string, stopMs = 1_000, together?: 'programs' | 'servers'): Service => {
  const script = join(folder, `${name}.mjs`);
  writeFileSync(script, code);
  const log = join(folder, `${name}.log`);
  return nodeService({
    name,
    args: [script],
    env: {},
    log,
    stopMs,
    ...(together && { together }),
    isReady: (text) => text.includes('ready'),
    readyMs: 5_000,
  });
};
const log = (name: string): string => readFileSync(join(folder, `${name}.log`), 'utf8');
const pidOf = (name: string): number => children.find((child) => child.name === name)?.pid ?? 0;
const alive = (): number[] => [...seen].filter((pid) => identityOf(pid) !== undefined);

async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 8_000; !condition(); await sleep(20)) {
    if (Date.now() > end) throw new Error(`timed out; reports: ${reports.join(' | ')}`);
  }
}

const STAYS = `console.log('ready'); setInterval(() => {}, 1000);`;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'colloquy-supervisor-'));
  reports = [];
  children = [];
  seen = new Set();
  supervisor = new Supervisor({
    report: (line) => reports.push(line),
    onChange: (now) => {
      children = now;
      for (const { pid } of now) seen.add(pid);
    },
    backoffMs: 20,
  });
});

afterEach(async () => {
  await supervisor.kill();
  rmSync(folder, { recursive: true, force: true });
});

describe('Supervisor', () => {
  it('reports a child that dies in one line and restarts it', async () => {
    await supervisor.start(service('worker', STAYS));
    const before = pidOf('worker');
    process.kill(before, 'SIGKILL');
    await until(() => reports.length === 2);
    expect(reports[0]).toMatch(/^worker was killed by SIGKILL.*starting it again in .*worker\.log\)$/);
    expect(reports[1]).toBe(`worker is back (process ${pidOf('worker')})`);
    expect(pidOf('worker')).not.toBe(before);
  });

  it('gives up with the last reason if a child dies five times within a minute', async () => {
    await supervisor.start(
      service('api', `console.log('ready'); setTimeout(() => { throw new Error('no luck'); }, 150);`),
    );
    expect(await supervisor.failed).toMatch(
      /^api ended 5 times within 60 s \(last: exited with code 1: Error: no luck\); its log is/,
    );
    await supervisor.stop();
    expect(seen.size).toBe(5);
    expect(alive()).toEqual([]);
  }, 20_000);

  it('fails the first start in one sentence with the last error of the process', async () => {
    const broken = service(
      'api',
      `console.log(JSON.stringify({ level: 60, msg: 'start failed', err: { message: 'no key' } })); process.exit(3);`,
    );
    const failure = supervisor.start(broken);
    await expect(failure).rejects.toThrow(StartError);
    await expect(failure).rejects.toThrow(
      /^api did not start: it exited with code 3: start failed: no key \(its log is .*api\.log\)\.$/,
    );
  });

  it('stops the newest child first, and each one only after the previous one has exited', async () => {
    const order = join(folder, 'order');
    const polite = (name: string): string =>
      `import { appendFileSync } from 'node:fs';
       process.on('SIGTERM', () => setTimeout(() => { appendFileSync('${order}', '${name} '); process.exit(0); }, 100)); ${STAYS}`;
    for (const name of ['first', 'second', 'third']) await supervisor.start(service(name, polite(name)));
    await supervisor.stop();
    expect(readFileSync(order, 'utf8')).toBe('third second first ');
    expect(reports).toEqual([]);
  });

  it('kills a child that ignores the signal, and its own children, after its timeout', async () => {
    const stubborn = `import { spawn } from 'node:child_process';
      process.on('SIGTERM', () => undefined);
      console.log(spawn('sleep', ['600'], { stdio: 'ignore' }).pid); ${STAYS}`;
    await supervisor.start(service('stubborn', stubborn, 300));
    seen.add(Number.parseInt(log('stubborn'), 10));
    expect(alive()).toHaveLength(2);
    const begun = Date.now();
    await supervisor.stop();
    expect(Date.now() - begun).toBeGreaterThanOrEqual(300);
    expect(Date.now() - begun).toBeLessThan(1_500);
    await until(() => alive().length === 0);
  });

  it('stops independent children concurrently', async () => {
    const slow = `process.on('SIGTERM', () => setTimeout(() => process.exit(0), 600)); ${STAYS}`;
    for (const name of ['api', 'worker', 'simulator']) await supervisor.start(service(name, slow, 2_000, 'programs'));
    const begun = Date.now();
    await supervisor.stop();
    expect(Date.now() - begun).toBeLessThan(1_700);
    expect(alive()).toEqual([]);
  });

  it('stops the programs before the servers that they use, each kind concurrently', async () => {
    const order = join(folder, 'order');
    const polite = (name: string): string =>
      `import { appendFileSync } from 'node:fs';
       process.on('SIGTERM', () => setTimeout(() => { appendFileSync('${order}', '${name} '); process.exit(0); }, 400)); ${STAYS}`;
    const kinds = { database: 'servers', queue: 'servers', api: 'programs', worker: 'programs' } as const;
    for (const [name, kind] of Object.entries(kinds)) {
      await supervisor.start(service(name, polite(kind), 2_000, kind));
    }
    const begun = Date.now();
    await supervisor.stop();
    expect(readFileSync(order, 'utf8')).toBe('programs programs servers servers ');
    expect(Date.now() - begun).toBeLessThan(1_500);
  });

  it('ends everything at once when killed', async () => {
    const deaf = `process.on('SIGTERM', () => undefined); ${STAYS}`;
    for (const name of ['one', 'two']) await supervisor.start(service(name, deaf, 5_000));
    const begun = Date.now();
    await supervisor.kill();
    expect(Date.now() - begun).toBeLessThan(1_000);
    expect(alive()).toEqual([]);
  });

  it('leaves no process if it is stopped while a child is still starting', async () => {
    const starting = supervisor
      .start(service('slow', `setInterval(() => {}, 1000);`))
      .catch((error: Error) => error.message);
    await until(() => seen.size === 1);
    await supervisor.stop();
    expect(await starting).toMatch(/slow did not start/);
    expect(alive()).toEqual([]);
  });

  it('does not restart a child that dies while the others are being stopped', async () => {
    await supervisor.start(service('old', STAYS));
    await supervisor.start(
      service(
        'new',
        `process.on('SIGTERM', () => { process.kill(${pidOf('old')}); setTimeout(() => process.exit(0), 200); }); ${STAYS}`,
      ),
    );
    await supervisor.stop();
    expect(seen.size).toBe(2);
    expect(alive()).toEqual([]);
  });
});
