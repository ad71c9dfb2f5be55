import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openObjectStore } from '../../src/object-store/open-object-store.js';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';
import { endPrograms, startWorkerProgram } from '../support/programs.js';
import { startSlowHost, type SlowHost } from '../support/slow-host.js';

const AUDIO = randomBytes(600_000);

let colloquy: Installation;
let host: SlowHost;

beforeAll(async () => {
  colloquy = await install();
});
beforeEach(async () => {
  host = await startSlowHost(AUDIO);
  colloquy.allow(host.url);
});
afterEach(async () => {
  endPrograms();
  await host.close();
});
afterAll(() => colloquy.close());

const partial = (): string[] => colloquy.recordingFiles().filter((name) => name.endsWith('.part'));

/** A call whose recording is being downloaded at this moment. */
async function callBeingDownloaded(seed: string): Promise<string> {
  const { call_id: callId } = colloquy.retell.addCompleteCall({ recording_url: host.url }, seed);
  await colloquy.send('call_analyzed', callId);
  await eventually(async () => partial().length === 1);
  return callId;
}

describe('a worker that has just started', () => {
  it('stops although its connections are still being opened', async () => {
    await colloquy.startWorker();
    const from = Date.now();
    await colloquy.stopWorkers();
    expect(Date.now() - from).toBeLessThan(10_000);
  });
});

describe('a worker during a download', () => {
  it('stops within 10 s with exit code 0 and leaves no half-written object, on SIGTERM', async () => {
    const worker = await startWorkerProgram(colloquy.env);
    await callBeingDownloaded('terminated');
    const { code, tookMs } = await worker.end('SIGTERM');
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(10_000);
    expect(partial()).toEqual([]);
    expect(colloquy.recordingFiles()).toEqual([]);
    host.release();
    await startWorkerProgram(colloquy.env);
    await eventually(async () => colloquy.recordingFiles().length === 1 && partial().length === 0, 40);
  }, 60_000);

  it('finishes it if that takes no longer than its grace period, and nobody downloads it again', async () => {
    const before = colloquy.recordingFiles().length;
    const worker = await startWorkerProgram(colloquy.env);
    const callId = await callBeingDownloaded('finished in time');
    const ended = worker.end('SIGTERM');
    await worker.says('worker stopping');
    // Long enough that a worker without a grace period would have stopped.
    await sleep(2_000);
    expect(partial()).toHaveLength(1);
    host.release();
    const { code, tookMs } = await ended;
    expect([code, tookMs < 10_000]).toEqual([0, true]);
    expect(colloquy.recordingFiles()).toHaveLength(before + 1);
    expect(await colloquy.call(callId)).toMatchObject({ audio_state: 'present' });
    await startWorkerProgram(colloquy.env);
    await colloquy.settled(callId, 40);
    expect(host.requests).toBe(1);
  }, 60_000);

  it('settles the call with exactly one object after its restart, if it was killed', async () => {
    const worker = await startWorkerProgram(colloquy.env);
    const callId = await callBeingDownloaded('killed');
    await worker.end('SIGKILL');
    expect(partial()).toHaveLength(1);
    host.release();
    await startWorkerProgram(colloquy.env);
    // Temporal gives the attempt up when its heartbeat has been missing for 20 s.
    const settled = await colloquy.settled(callId, 50);
    expect(settled).toMatchObject({ audio_state: 'present', transcript_state: 'present' });
    const [recording, ...others] = await colloquy.store.recordings(settled.id);
    expect(others).toEqual([]);
    expect(recording?.bytes).toBe(String(AUDIO.length));
    // A half-written file is no object; the hourly sweep removes it.
    const store = await openObjectStore(colloquy.config);
    expect(await store.sweep(new Date(Date.now() + 1000))).toBe(1);
    const own = colloquy.recordingFiles().filter((name) => name.includes(settled.id));
    expect(own).toEqual([recording?.object_key]);
  }, 60_000);
});
