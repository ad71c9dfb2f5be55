import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takeDataFolder } from '../../src/embedded/data-folder.js';
import { runningOn, type ServerAddresses } from '../../src/embedded/lock.js';
import { identityOf } from '../../src/embedded/processes.js';
import { StartError } from '../../src/embedded/start-error.js';

let dir: string;
let reports: string[];
const take = () => takeDataFolder(dir, (line) => reports.push(line));
const lock = (owner: object): void => writeFileSync(join(dir, 'up.lock'), JSON.stringify(owner));

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'colloquy-data-'));
  reports = [];
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('takeDataFolder', () => {
  it('creates the folder for its owner only and writes its format', async () => {
    rmSync(dir, { recursive: true });
    const folder = await take();
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    expect(readFileSync(join(dir, 'VERSION'), 'utf8')).toBe('3\n');
    folder.release();
    await expect(take()).resolves.toBeDefined();
  });

  it('names the folder and the process that already holds it', async () => {
    await take();
    await expect(take()).rejects.toThrow(StartError);
    await expect(take()).rejects.toThrow(
      new RegExp(`process ${process.pid}\\) already runs on the data folder ${dir}`),
    );
  });

  it('takes over the lock of a dead owner, even if its pid is reused, and a truncated lock', async () => {
    lock({ pid: process.pid, identity: 'another boot:1', children: [] });
    (await take()).release();
    writeFileSync(join(dir, 'up.lock'), '{"pid":');
    await expect(take()).resolves.toBeDefined();
  });

  it('ends processes that a dead owner left running, but none that merely has the same pid', async () => {
    const left = spawn('sleep', ['600'], { stdio: 'ignore', detached: true });
    const stranger = spawn('sleep', ['600'], { stdio: 'ignore', detached: true });
    const child = (pid: number | undefined, identity: string | undefined): object => ({
      name: 'the worker',
      pid,
      identity,
      signal: 'SIGTERM',
    });
    lock({
      pid: 999_999,
      identity: 'x',
      children: [child(left.pid, identityOf(left.pid ?? 0)), child(stranger.pid, 'another boot:1')],
    });
    try {
      await take();
      expect(reports).toEqual([`ending the worker (process ${left.pid}), which an earlier start left behind`]);
      expect([left, stranger].map(({ pid }) => identityOf(pid ?? 0) !== undefined)).toEqual([false, true]);
    } finally {
      for (const process of [left, stranger]) process.kill('SIGKILL');
    }
  });

  it('lets commands find the running installation while its owner lives, and protects the passwords', async () => {
    const servers: ServerAddresses = {
      databaseUrl: 'postgres://one',
      keystoreDatabaseUrl: 'postgres://two',
      searchDatabaseUrl: 'postgres://three',
      publicUrl: 'http://here',
      temporal: { address: 'here:7233', namespace: 'default' },
    };
    const folder = await take();
    expect(runningOn(dir)).toBeUndefined();
    folder.recordServers(servers);
    folder.record([]);
    expect(runningOn(dir)).toEqual({ pid: process.pid, servers });
    expect(statSync(join(dir, 'up.lock')).mode & 0o777).toBe(0o600);
    folder.release();
    expect(runningOn(dir)).toBeUndefined();
    lock({ pid: process.pid, identity: 'another boot:1', children: [], servers });
    expect(runningOn(dir)).toBeUndefined();
  });

  it('refuses the folder of a newer version with the ways out, and releases the lock', async () => {
    writeFileSync(join(dir, 'VERSION'), '4\n');
    await expect(take()).rejects.toThrow(new RegExp(`${dir} was written by a newer version.*COLLOQUY_DATA_DIR`));
    writeFileSync(join(dir, 'VERSION'), '3\n');
    await expect(take()).resolves.toBeDefined();
  });

  it('refuses the folder of an earlier version in one sentence, does not change it, and releases the lock', async () => {
    writeFileSync(join(dir, 'VERSION'), '1\n');
    await expect(take()).rejects.toThrow(new RegExp(`${dir} was written by an earlier version .*an empty folder`));
    expect(readFileSync(join(dir, 'VERSION'), 'utf8')).toBe('1\n');
    await expect(take()).rejects.toThrow('by an earlier version');
  });

  it('reports that the folder cannot be created', async () => {
    const file = join(dir, 'file');
    writeFileSync(file, '');
    await expect(takeDataFolder(join(file, 'data'), () => undefined)).rejects.toThrow(
      /cannot be created \(ENOTDIR\).*COLLOQUY_DATA_DIR/,
    );
  });

  it('rotates a log that has grown too long', async () => {
    const folder = await take();
    mkdirSync(join(dir, 'logs'), { recursive: true });
    writeFileSync(join(dir, 'logs', 'api.log'), Buffer.alloc(21 * 1024 * 1024));
    expect(folder.log('api')).toBe(join(dir, 'logs', 'api.log'));
    expect(statSync(join(dir, 'logs', 'api.log.1')).size).toBe(21 * 1024 * 1024);
  });
});
