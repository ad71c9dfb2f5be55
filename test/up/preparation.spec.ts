import { existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { identityOf } from '../../src/embedded/processes.js';
import { Checkout, LONG_AGO } from './support/checkout.js';

let checkout: Checkout;
const stamp = (): string => join(checkout.dir, 'dist', '.built');

/** Puts another `npm run build` into the checkout, dated long ago. */
function buildIs(script: string): void {
  const path = join(checkout.dir, 'package.json');
  writeFileSync(path, JSON.stringify({ name: 'colloquy', private: true, type: 'module', scripts: { build: script } }));
  utimesSync(path, LONG_AGO, LONG_AGO);
}

/** Ends `up` right after installing and building. */
const END = { PORT: '0', COLLOQUY_DATA_DIR: '/dev/null/data' };

beforeEach(() => {
  checkout = new Checkout();
});
afterEach(async () => await checkout.remove());

describe('npm run up, before the start', () => {
  it('builds when a source is newer than the last build, and not again', async () => {
    buildIs('echo built >> count');
    await checkout.up(END).ended;
    expect(existsSync(join(checkout.dir, 'count'))).toBe(false);
    mkdirSync(join(checkout.dir, 'workflows'));
    writeFileSync(join(checkout.dir, 'workflows', 'new.ts'), '');
    for (let start = 1; start <= 2; start += 1) await checkout.up(END).ended;
    expect(readFileSync(join(checkout.dir, 'count'), 'utf8')).toBe('built\n');
  });

  it('shows what a failed build says, and leaves it to be repeated', async () => {
    buildIs('echo TS2322 && exit 2');
    rmSync(stamp());
    const run = checkout.up(END);
    expect(await run.ended).toBe(1);
    expect(run.stderr()).toMatch(
      /TS2322[^]*Building failed: "npm run build" exited with 2; its last output is above\.\n$/,
    );
    expect(existsSync(stamp())).toBe(false);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('ends with everything that a build had started, on %s', async (signal) => {
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

  it('installs when the packages are missing', async () => {
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
    expect(run.stderr()).toMatch(/^The data folder \/dev\/null\/data cannot be made/);
  });
});
