// A Temporal for this file alone, so that it can be stopped and its database deleted.
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { freePort } from '../../src/embedded/ports.js';
import { startTemporal, type EmbeddedTemporal } from '../../src/embedded/temporal/temporal.js';
import { install, type Installation } from '../support/installation.js';
import { endPrograms, startProgram, startWorkerProgram } from '../support/programs.js';

let colloquy: Installation;
let folder: string;
let port: number;
let server: EmbeddedTemporal | undefined;
/** A call whose workflow should start while Temporal hangs. */
let leftOver: string;

beforeAll(async () => {
  folder = mkdtempSync(join(inject('services').runDir, 'temporal-'));
  port = await freePort();
  colloquy = await install({ temporal: { address: `127.0.0.1:${port}`, namespace: 'default' } });
});
afterEach(() => endPrograms());
afterAll(async () => {
  await stop();
  await colloquy.close();
});

async function start(): Promise<void> {
  if (server !== undefined) return;
  const binary = inject('services').temporalCli;
  server = await startTemporal({ binary, dbFile: join(folder, 'temporal.db'), port, uiPort: false, durable: false });
}

async function stop(): Promise<void> {
  await server?.stop();
  server = undefined;
}

/** Temporal returns with an empty database, as on a machine whose disk was lost. */
async function loseEverything(): Promise<void> {
  await stop();
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(folder, `temporal.db${suffix}`), { force: true });
  await start();
}

const commands = async (): Promise<number> => (await colloquy.sql.query('select 1 from workflow_commands')).rows.length;

const settledAll = async (callIds: string[]): Promise<void> => {
  for (const callId of callIds) {
    expect(await colloquy.settled(callId, 40)).toMatchObject({ status: 'completed', audio_state: 'present' });
  }
};

/** Live calls, whose workflows wait for their end. */
async function liveCalls(names: string[]): Promise<string[]> {
  return Promise.all(names.map(async (name) => (await colloquy.liveCall({ call_id: name })).callId));
}

/** A call whose workflow waits for its analysis. */
async function settlingCall(name: string): Promise<string> {
  const { callId } = await colloquy.liveCall({ call_id: name });
  colloquy.retell.endCall(callId);
  await colloquy.send('call_ended', callId);
  await colloquy.call(
    callId,
    ({ record_state, audio_state }) => record_state === 'settling' && audio_state === 'present',
  );
  return callId;
}

describe('Temporal away', () => {
  it('does not keep a worker from stopping within 10 s with exit code 0', async () => {
    const worker = await startWorkerProgram(colloquy.env);
    await worker.says('Temporal is unavailable');
    const { code, tookMs } = await worker.end('SIGTERM');
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(10_000);
  });

  it('loses no workflow command if the worker is killed between the commit of intake and the signal', async () => {
    const worker = await startWorkerProgram(colloquy.env);
    const { call_id: callId } = colloquy.retell.addCompleteCall({}, 'killed in the gap');
    await colloquy.send('call_analyzed', callId);
    await colloquy.call(callId, ({ record_state }) => record_state === 'settling');
    expect(await commands()).toBe(1);
    await worker.end('SIGKILL');
    expect(await commands()).toBe(1);
    await start();
    await startWorkerProgram(colloquy.env);
    await settledAll([callId]);
    expect(await commands()).toBe(0);
  });

  it('catches up by itself: webhooks are stored and applied meanwhile, and calls settle afterwards', async () => {
    await startWorkerProgram(colloquy.env);
    const [live = ''] = await liveCalls(['before the outage']);
    await stop();
    colloquy.finish(live);
    expect(await colloquy.send('call_analyzed', live)).toBe('stored');
    const { call_id: callId } = colloquy.retell.addCompleteCall({}, 'during the outage');
    expect(await colloquy.send('call_analyzed', callId)).toBe('stored');
    for (const id of [live, callId]) {
      const applied = await colloquy.call(id, ({ record_state }) => record_state === 'settling');
      expect(applied).toMatchObject({ status: 'completed', transcript_state: 'present', analysis_state: 'present' });
    }
    await start();
    await settledAll([live, callId]);
  }, 60_000);
});

describe('Temporal that hangs', () => {
  beforeAll(start);

  it('does not keep a worker from stopping within 10 s with exit code 0', async () => {
    const worker = await startWorkerProgram(colloquy.env);
    await worker.says('everything that has work has its workflow');
    server?.process.kill('SIGSTOP');
    try {
      const { call_id: callId } = colloquy.retell.addCompleteCall({}, 'while it hangs');
      leftOver = callId;
      await colloquy.send('call_analyzed', callId);
      await colloquy.call(callId);
      const { code, tookMs } = await worker.end('SIGTERM');
      expect(code).toBe(0);
      expect(tookMs).toBeLessThan(10_000);
      expect(await commands()).toBe(1);
    } finally {
      server?.process.kill('SIGCONT');
    }
  });
});

describe('Temporal without its database', () => {
  beforeAll(start);

  it('gets every open conversation back by `colloquy wake`, which reports how many', async () => {
    const worker = await startWorkerProgram(colloquy.env);
    await settledAll([leftOver]);
    const calls = [...(await liveCalls(['wake_1', 'wake_2'])), await settlingCall('wake_3')];
    await worker.end('SIGTERM');
    await loseEverything();
    const wake = startProgram('cli', colloquy.env, ['wake']);
    expect(await wake.ended).toBe(0);
    expect(wake.said()).toContain('conversation: 3 have work, 3 of them had no workflow and have one now');
    const again = startProgram('cli', colloquy.env, ['wake']);
    await again.ended;
    expect(again.said()).toContain('conversation: 3 have work, 0 of them had no workflow');
    for (const callId of calls) colloquy.finish(callId);
    await Promise.all(calls.map((callId) => colloquy.send('call_analyzed', callId)));
    await startWorkerProgram(colloquy.env);
    await settledAll(calls);
  }, 60_000);

  it('gets every open conversation back when a worker starts', async () => {
    const worker = await startWorkerProgram(colloquy.env);
    const calls = [...(await liveCalls(['start_1', 'start_2'])), await settlingCall('start_3')];
    await worker.end('SIGKILL');
    await loseEverything();
    await startWorkerProgram(colloquy.env);
    for (const callId of calls) {
      await colloquy.workflow(callId);
      colloquy.finish(callId);
      await colloquy.send('call_analyzed', callId);
    }
    await settledAll(calls);
  }, 60_000);

  it('gets every open conversation back from a worker that keeps running', async () => {
    const worker = await startWorkerProgram(colloquy.env);
    const calls = [...(await liveCalls(['running_1', 'running_2'])), await settlingCall('running_3')];
    await loseEverything();
    await worker.says('Temporal has lost its database');
    await Promise.all(calls.map((callId) => colloquy.workflow(callId)));
    for (const callId of calls) {
      colloquy.finish(callId);
      await colloquy.send('call_analyzed', callId);
    }
    await settledAll(calls);
  }, 60_000);
});
