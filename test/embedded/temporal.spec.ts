import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EmbeddedTemporal } from '../../src/embedded/temporal/temporal.js';
import { startTemporal } from '../../src/embedded/temporal/temporal.js';
import { findTemporalCli } from '../../src/embedded/temporal/temporal-cli.js';

const cacheDir = join(import.meta.dirname, '../../.cache/temporal');
let folder: string;
let binary: string;
const started: EmbeddedTemporal[] = [];

const start = async (): Promise<EmbeddedTemporal> => {
  const server = await startTemporal({ binary, dbFile: join(folder, 'temporal.db'), namespaces: ['colloquy'] });
  started.push(server);
  return server;
};
const cli = (server: EmbeddedTemporal, ...args: string[]): string =>
  execFileSync(binary, [...args, '--address', server.address], { encoding: 'utf8' });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'colloquy-temporal-'));
  ({ path: binary } = await findTemporalCli({ env: process.env, cacheDir, report: () => undefined }));
});

afterAll(async () => {
  await Promise.all(started.map((server) => server.stop()));
  rmSync(folder, { recursive: true, force: true });
});

describe('startTemporal', () => {
  it('serves gRPC, UI, namespaces and search attributes, and finds its workflows after a restart', async () => {
    const first = await start();
    const attributes = cli(first, 'operator', 'search-attribute', 'list', '--namespace', 'colloquy');
    for (const name of ['ClientId', 'Provider', 'Channel'])
      expect(attributes).toMatch(new RegExp(`${name}\\s+Keyword`));
    expect((await fetch(String(first.uiUrl))).status).toBe(200);
    cli(
      first,
      'workflow',
      'start',
      '--namespace',
      'colloquy',
      '--type',
      'x',
      '--task-queue',
      'q',
      '--workflow-id',
      'kept',
    );
    const before = Date.now();
    await first.stop();
    expect(Date.now() - before).toBeLessThan(3_000);
    expect(await first.exited).toEqual({ code: 0, signal: null });

    const second = await start();
    expect(cli(second, 'workflow', 'describe', '--namespace', 'colloquy', '--workflow-id', 'kept')).toMatch(
      /WorkflowId\s+kept/,
    );
    expect(existsSync(join(folder, 'temporal.db.log'))).toBe(true);
  }, 60_000);

  it('reports that its port is taken', async () => {
    const [{ port }] = started.slice(-1) as [EmbeddedTemporal];
    const failure = startTemporal({ binary, dbFile: join(folder, 'other.db'), port, uiPort: false });
    await expect(failure).rejects.toThrow(`Temporal did not start: port ${port} is in use.`);
  });

  it('says how it ended and where its log is if it cannot start', async () => {
    writeFileSync(join(folder, 'broken.db'), 'this is no database '.repeat(500));
    const failure = startTemporal({ binary, dbFile: join(folder, 'broken.db'), uiPort: false });
    await expect(failure).rejects.toThrow(
      /Temporal did not start: it exited with code \d+; its log is .*broken\.db\.log/,
    );
  }, 60_000);
});
