// The simulators as a process, from the compiled code, like `npm run up` starts them.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import Retell from 'retell-sdk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startReceiver, type Receiver } from './receiver.js';

const main = join(import.meta.dirname, '../../.test/simulators/main.js');
const readyLine = z.object({
  event: z.literal('ready'),
  retell: z.object({ baseUrl: z.string(), seed: z.string(), apiKey: z.string() }).optional(),
  elevenlabs: z.object({ baseUrl: z.string(), apiKey: z.string(), webhookSecret: z.string() }).optional(),
});

let folder: string;
let receiver: Receiver;
const children: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'simulators-'));
  receiver = await startReceiver();
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await receiver.close();
  await rm(folder, { recursive: true });
});

async function start(...options: string[]) {
  const ready = await startAll('--provider', 'retell', '--chats', '0', ...options);
  if (!ready.retell) throw new Error('Retell is not simulated');
  return { ...ready.retell, stop: ready.stop };
}

async function startAll(...options: string[]) {
  const child = spawn(process.execPath, [main, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const [line] = z.tuple([z.string()]).parse(await once(createInterface(child.stdout), 'line'));
  const stop = async (signal: NodeJS.Signals) => {
    const exited = once(child, 'exit');
    child.kill(signal);
    return exited;
  };
  return { ...readyLine.parse(JSON.parse(line)), stop };
}

/** Runs a start that fails; returns its exit code and stderr. */
async function refused(...options: string[]): Promise<{ code: unknown; said: string }> {
  const child = spawn(process.execPath, [main, ...options], { stdio: ['ignore', 'ignore', 'pipe'] });
  children.push(child);
  let said = '';
  child.stderr.on('data', (chunk) => (said += String(chunk)));
  const [code] = await once(child, 'close');
  return { code, said };
}

describe('simulators', () => {
  it('serves a history without a receiver, and exits cleanly on SIGTERM', async () => {
    const { baseUrl, apiKey, stop } = await start('--history', '5');
    const client = new Retell({ apiKey, baseURL: baseUrl });
    expect((await client.call.list()).items).toHaveLength(5);
    expect(await stop('SIGTERM')).toEqual([0, null]);
  });

  it('simulates both providers, with a bulk history and initial faults', async () => {
    const ready = await startAll(
      '--history',
      '0',
      '--bulk',
      '40',
      '--fault',
      'listLagMs=1',
      '--fault',
      'errors.share=1',
    );
    const { baseUrl, apiKey } = ready.elevenlabs ?? { baseUrl: '', apiKey: '' };
    const list = () => fetch(`${baseUrl}/v1/convai/conversations`, { headers: { 'xi-api-key': apiKey } });
    const faults = `${baseUrl}/_control/faults`;
    expect(await (await fetch(faults)).json()).toMatchObject({ listLagMs: 1, errors: { share: 1 } });
    await fetch(faults, { method: 'DELETE' });
    expect(await (await list()).json()).toMatchObject({ has_more: true });
    const retell = new Retell({ apiKey: ready.retell?.apiKey ?? '', baseURL: ready.retell?.baseUrl });
    await fetch(`${ready.retell?.baseUrl}/_control/faults`, { method: 'DELETE' });
    const { total: calls } = await retell.call.list({ include_total: true });
    const { total: chats } = await retell.chat.list({ include_total: true });
    expect((calls ?? 0) + (chats ?? 0)).toBe(40);
    expect(await ready.stop('SIGTERM')).toEqual([0, null]);
  });

  it('exits cleanly on SIGINT during traffic', async () => {
    const { stop } = await start('--retell-webhook-url', receiver.url, '--rate', '600', '--speed', '1');
    await expect.poll(() => receiver.received.length, { timeout: 10_000 }).toBeGreaterThan(12);
    expect(await stop('SIGINT')).toEqual([0, null]);
  });

  it('after a restart, serves everything announced, ends live conversations, and repeats nothing', async () => {
    const options = ['--seed', 'spec', '--state-dir', folder, '--retell-webhook-url', receiver.url, '--history', '3'];
    const first = await start(...options, '--rate', '600', '--speed', '30', '--max-conversations', '10');
    const isLive = ({ event }: { event: string }) => event === 'call_started';
    await expect.poll(() => receiver.received.filter(isLive).length, { timeout: 10_000 }).toBeGreaterThan(5);
    await first.stop('SIGKILL');
    const before = receiver.received.splice(0);
    const second = await start(...options, '--rate', '0.01', '--speed', '30');
    expect(second).toMatchObject({ baseUrl: first.baseUrl, seed: first.seed, apiKey: first.apiKey });
    const client = new Retell({ apiKey: second.apiKey, baseURL: second.baseUrl });
    for (const { id, document } of before) {
      const known = await client.call.retrieve(id);
      expect(known.agent_id).toBe(document['agent_id']);
      if (known.recording_url) expect((await fetch(known.recording_url)).status).toBe(200);
    }
    const analyzed = (received: typeof before) =>
      received.filter(({ event }) => event === 'call_analyzed').map(({ id }) => id);
    const started = before.filter(isLive).map(({ id }) => id);
    const all = () => [...analyzed(before), ...analyzed(receiver.received)];
    await expect.poll(all, { timeout: 20_000 }).toEqual(expect.arrayContaining(started));
    // One webhook may have been in transit when the first process was killed.
    expect(all().length - new Set(all()).size).toBeLessThanOrEqual(1);
    expect(await second.stop('SIGTERM')).toEqual([0, null]);
  }, 60_000);

  it('announces the latest calls to a new receiver', async () => {
    const first = await start('--state-dir', folder, '--history', '3');
    await first.stop('SIGTERM');
    const second = await start(
      '--state-dir',
      folder,
      '--history',
      '3',
      '--retell-webhook-url',
      receiver.url,
      '--rate',
      '0.01',
    );
    await expect
      .poll(() => receiver.received.filter(({ event }) => event === 'call_analyzed').length, { timeout: 10_000 })
      .toBe(3);
    await second.stop('SIGTERM');
  });

  it.each([
    ['--rate', 'often'],
    ['--rate', '-1'],
    ['--provider', 'nobody'],
    ['--fault', 'nonsense=1'],
    ['--fault', 'webhooks.late=2'],
    ['--bulk', '1.5'],
    ['--retell-api-key', ''],
    ['--bogus', '1'],
  ])('refuses %s %j in one line, and exits', async (name, value) => {
    const { code, said } = await refused(name, value);
    expect(code).toBe(1);
    expect(said).toMatch(new RegExp(`^error: .*${name}.*\\n$`));
  });

  it.each(['retell', 'elevenlabs'])('refuses a port of %s that is in use in one line, and exits', async (name) => {
    const port = new URL(receiver.url).port;
    const { code, said } = await refused(`--${name}-port`, port);
    expect([code, said]).toEqual([1, `simulators: port ${port} is in use: choose another one, or 0 for a free one\n`]);
  });

  it('refuses a damaged state folder in one line, and exits', async () => {
    await writeFile(join(folder, 'elevenlabs.json'), '{"apiKey":');
    const { code, said } = await refused('--state-dir', folder);
    expect(code).toBe(1);
    expect(said).toMatch(/^simulators: .*elevenlabs\.json is damaged: .*\n$/);
  });
});
