import { existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { identityOf } from '../../src/embedded/processes.js';
import { Checkout, LONG_AGO } from './support/checkout.js';

let checkout: Checkout;
const built = (): string[] => [join(checkout.dir, 'dist/.built'), join(checkout.dir, '.cache/simulators-build/.built')];
const stamp = (): string => built()[0] ?? '';
const count = (): string | undefined => {
  const path = join(checkout.dir, 'count');
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
};

/** Replaces the scripts of the checkout; the file keeps an old modification time. */
function buildIs(build: string, simulators = 'true'): void {
  const path = join(checkout.dir, 'package.json');
  const scripts = { build, 'build:simulators': simulators };
  writeFileSync(path, JSON.stringify({ name: 'colloquy', private: true, type: 'module', scripts }));
  utimesSync(path, LONG_AGO, LONG_AGO);
}

function source(folder: string): void {
  mkdirSync(join(checkout.dir, folder));
  writeFileSync(join(checkout.dir, folder, 'new.ts'), '');
}

/** Ends `up` right after installing and building. */
const END = { PORT: '0', COLLOQUY_DATA_DIR: '/dev/null/data' };

beforeEach(() => {
  checkout = new Checkout();
});
afterEach(async () => await checkout.remove());

describe('npm run up before the start', () => {
  it('builds once if a source is newer than the last build', async () => {
    buildIs('echo product >> count', 'echo simulators >> count');
    await checkout.up(END).ended;
    expect(count()).toBeUndefined();
    source('workflows');
    for (let start = 1; start <= 2; start += 1) await checkout.up(END).ended;
    expect(count()).toBe('product\n');
  });

  it('builds the simulators separately, and only if they are enabled', async () => {
    buildIs('echo product >> count', 'echo simulators >> count');
    source('simulators');
    await checkout.up({ ...END, COLLOQUY_SIMULATORS: 'off' }).ended;
    expect(count()).toBeUndefined();
    for (let start = 1; start <= 2; start += 1) await checkout.up(END).ended;
    expect(count()).toBe('simulators\n');
  });

  it('builds both at the same time', async () => {
    const both = (mine: string, other: string): string => `touch ${mine}; while [ ! -e ${other} ]; do sleep 0.05; done`;
    buildIs(both('product', 'simulators'), both('simulators', 'product'));
    for (const path of built()) rmSync(path);
    await checkout.up(END).ended;
    expect(built().map((path) => existsSync(path))).toEqual([true, true]);
  });

  it('ends the other build when one fails', async () => {
    buildIs('echo $$ > pid; sleep 600 & wait', 'while [ ! -s pid ]; do sleep 0.05; done; exit 3');
    for (const path of built()) rmSync(path);
    const run = checkout.up(END);
    expect(await run.ended).toBe(1);
    expect(run.stderr()).toBe(
      'Building the simulators failed: "npm run build:simulators" exited with 3; its last output is above.\n',
    );
    const pid = Number.parseInt(readFileSync(join(checkout.dir, 'pid'), 'utf8'), 10);
    await expect.poll(() => identityOf(pid)).toBeUndefined();
    expect(built().map((path) => existsSync(path))).toEqual([false, false]);
  });

  it('shows the output of a failed build, and repeats it at the next start', async () => {
    buildIs('echo TS2322 && exit 2');
    rmSync(stamp());
    const run = checkout.up(END);
    expect(await run.ended).toBe(1);
    expect(run.stderr()).toMatch(
      /TS2322[^]*Building failed: "npm run build" exited with 2; its last output is above\.\n$/,
    );
    expect(existsSync(stamp())).toBe(false);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('ends together with all processes of a build on %s', async (signal) => {
    buildIs('echo $$ > pid; sleep 600 & wait');
    rmSync(stamp());
    const run = checkout.up(END);
    const pidFile = join(checkout.dir, 'pid');
    while (!existsSync(pidFile) || readFileSync(pidFile, 'utf8') === '') await sleep(50);
    const begun = Date.now();
    run.process.kill(signal);
    expect(await run.ended).toBe(130);
    expect(Date.now() - begun).toBeLessThan(5_000);
    expect(identityOf(Number.parseInt(readFileSync(pidFile, 'utf8'), 10))).toBeUndefined();
    expect(existsSync(stamp())).toBe(false);
  });

  it('installs missing packages', async () => {
    buildIs('true');
    rmSync(join(checkout.dir, 'node_modules'));
    writeFileSync(
      join(checkout.dir, 'package-lock.json'),
      JSON.stringify({ name: 'colloquy', lockfileVersion: 3, requires: true, packages: { '': { name: 'colloquy' } } }),
    );
    const run = checkout.up(END);
    expect(await run.ended).toBe(1);
    expect(run.stdout()).toMatch(
      /installing packages \("npm ci"\) …\n {2}installing packages took \d+ s\n {2}building/,
    );
    expect(run.stderr()).toMatch(/^The data folder \/dev\/null\/data cannot be created/);
  });
});
