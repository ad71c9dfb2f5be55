// `npm run simulators` in a checkout as described in its README: compiled by its own script, in its own process group.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const readme = read('simulators/README.md');
const main = join(root, '.test/simulators/main.js');

/** The command lines of the README, without `npm run simulators --`. */
const examples = [...readme.replaceAll('\\\n', ' ').matchAll(/^npm run simulators -- (.+)$/gm)].map(([, line = '']) =>
  line.split(/ +/),
);

let child: ChildProcess;

afterEach(() => {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
    process.kill(-child.pid, 'SIGKILL');
});

/** Starts a command in its own process group, and returns its parsed ready line. */
async function ready(command: string, options: string[]): Promise<unknown> {
  child = spawn(command, options, { cwd: root, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  if (!child.stdout) throw new Error('no output');
  for await (const line of createInterface(child.stdout)) if (line.startsWith('{')) return JSON.parse(line);
  throw new Error('it ended before it was ready');
}

/** Sends SIGINT to the process group, like Ctrl-C in a terminal. */
async function interrupt(): Promise<unknown[]> {
  const exited = once(child, 'exit');
  process.kill(-(child.pid ?? 0), 'SIGINT');
  return await exited;
}

describe('npm run simulators', () => {
  it('compiles, starts both providers and exits on Ctrl-C', { timeout: 120_000 }, async () => {
    const url = expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/);
    const [apiKey, webhookSecret] = [expect.any(String), expect.any(String)];
    expect(await ready('npm', ['run', 'simulators', '--', ...(examples[0] ?? [])])).toMatchObject({
      event: 'ready',
      retell: { baseUrl: url, apiKey },
      elevenlabs: { baseUrl: url, apiKey, webhookSecret },
    });
    expect(await interrupt()).toEqual([0, null]);
  });

  it('accepts the options shown in its README', async () => {
    const options = (examples[1] ?? []).map((option) => option.replace('5000', '50'));
    expect(options.length).toBeGreaterThan(8);
    const started = await ready(process.execPath, [main, ...options]);
    expect(started).toMatchObject({ event: 'ready', elevenlabs: { baseUrl: expect.any(String) } });
    expect(started).not.toHaveProperty('retell');
    expect(await interrupt()).toEqual([0, null]);
  });

  it('explains every option named in the documents', () => {
    const help = execFileSync(process.execPath, [main, '--help'], { encoding: 'utf8' });
    const known = [...help.matchAll(/^ +(?:-h, )?(--[a-z-]+)/gm)].map(([, name]) => name);
    const named = [...readme.matchAll(/--[a-z]+[a-z-]*/g)].map(([name]) => name);
    expect(known.length).toBeGreaterThan(20);
    expect(new Set(named).size).toBeGreaterThan(8);
    expect(known).toEqual(expect.arrayContaining(named));
  });
});
