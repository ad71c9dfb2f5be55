// How many requests the wait for a recording costs the provider, and what does not count as a try.
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RetryLater } from '../../src/lifecycle/retry-later.js';
import type { FetchProgress } from '../../src/lifecycle/recording-fetcher.js';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';
import { openWorkerParts } from '../support/worker-parts.js';
import { startPatientHost } from './patient-host.js';

const HOUR_MS = 3_600_000;
const NO_LINK = { recording_url: undefined, recording_multi_channel_url: undefined };

let colloquy: Installation;
let worker: Awaited<ReturnType<typeof openWorkerParts>>;
let passedMs = 0;
const now = (): number => Date.now() + passedMs;

beforeAll(async () => {
  colloquy = await install();
  worker = await openWorkerParts(colloquy.config, { deadlines: now });
});
afterAll(async () => {
  await worker.close();
  await colloquy.close();
});

async function finishedCall(fields: Record<string, unknown>): Promise<{ callId: string; id: string }> {
  passedMs = 0;
  const { call_id: callId } = colloquy.retell.addCompleteCall(fields, JSON.stringify(fields));
  await colloquy.send('call_analyzed', callId);
  await worker.intake.round();
  return { callId, id: (await colloquy.call(callId)).id };
}

const signal = new AbortController().signal;
/** One attempt, as Temporal makes it: resolves with what it leaves for the next; null when it is done. */
async function attempt(id: string, progress: FetchProgress | null): Promise<RetryLater | null> {
  try {
    await worker.fetcher.fetch(id, { progress, signal });
    return null;
  } catch (error) {
    if (error instanceof RetryLater) return error;
    throw error;
  }
}

/** Attempts until nothing is pending; the clock advances by their pauses. */
async function untilDone(id: string): Promise<number> {
  let attempts = 0;
  for (let progress: FetchProgress | null = null; ; attempts += 1) {
    const left = await attempt(id, progress);
    if (left === null) return attempts + 1;
    passedMs += left.retryInMs;
    progress = left.progress as FetchProgress;
  }
}

describe('a recording that never comes within 24 hours', () => {
  it('costs at most 25 requests if the provider never sends a link, and is looked for every five minutes', async () => {
    const { callId, id } = await finishedCall(NO_LINK);
    const attempts = await untilDone(id);
    expect(passedMs).toBeGreaterThanOrEqual(23.9 * HOUR_MS);
    expect(await colloquy.call(callId)).toMatchObject({ audio_state: 'absent', audio_reason: 'deadline' });
    expect(colloquy.requestsOf(callId, 'get')).toBeGreaterThan(10);
    expect(colloquy.requestsOf(callId, 'get')).toBeLessThanOrEqual(25);
    expect(attempts).toBeGreaterThan(250);
  });

  it('costs about as many if its link is dead', async () => {
    const { callId, id } = await finishedCall({ disconnection_reason: 'user_hangup' });
    colloquy.retell.faults.recordingExpiresAt.set(callId, 0);
    await untilDone(id);
    expect(passedMs).toBeGreaterThanOrEqual(23.9 * HOUR_MS);
    const requests = colloquy.requestsOf(callId, 'get') + colloquy.requestsOf(callId, 'audio');
    expect(requests).toBeGreaterThan(10);
    expect(requests).toBeLessThanOrEqual(28);
  });

  it('is fetched within five minutes if a webhook brings its link during the wait', async () => {
    const { callId, id } = await finishedCall({ ...NO_LINK, direction: 'inbound' });
    let left = await attempt(id, null);
    while (passedMs < 5 * HOUR_MS) {
      passedMs += left?.retryInMs ?? HOUR_MS;
      left = await attempt(id, left?.progress as FetchProgress);
    }
    const asked = colloquy.requestsOf(callId, 'get');
    colloquy.retell.calls.update(callId, { recording_url: `${colloquy.retell.baseUrl}/recordings/${callId}.wav` });
    await colloquy.send('call_analyzed', callId);
    await worker.intake.round();
    expect(left?.retryInMs).toBeLessThanOrEqual(300_000);
    expect(await attempt(id, left?.progress as FetchProgress)).toBeNull();
    expect(await colloquy.call(callId)).toMatchObject({ audio_state: 'present' });
    expect(colloquy.requestsOf(callId, 'get')).toBe(asked);
  });
});

describe('a recording whose deadline passes while our own store is unavailable', () => {
  it('is not given up for that: the provider gets its tries when the store is back', async () => {
    const { callId, id } = await finishedCall({ direction: 'outbound' });
    passedMs = 25 * HOUR_MS;
    const folder = join(colloquy.config.dataDir, 'recordings');
    renameSync(folder, `${folder}.away`);
    writeFileSync(folder, 'no folder');
    for (let failures = 0; failures < 8; failures += 1)
      await expect(attempt(id, null)).rejects.toMatchObject({ code: 'storage_unavailable' });
    rmSync(folder);
    renameSync(`${folder}.away`, folder);
    colloquy.retell.faults.audioStatus.push(503);
    const left = await attempt(id, null);
    expect(left?.progress).toMatchObject({ tries: 1 });
    expect(await colloquy.call(callId)).toMatchObject({ audio_state: 'pending' });
    passedMs += left?.retryInMs ?? 0;
    expect(await attempt(id, left?.progress as FetchProgress)).toBeNull();
    expect(await colloquy.call(callId)).toMatchObject({ audio_state: 'present' });
  });
});

describe('a recording for which the account has no free download slot', () => {
  /** As many as an account downloads concurrently. */
  const PLACES = 16;

  it('is not tried: it is retried soon, with the same number of tries', async () => {
    const host = await startPatientHost();
    colloquy.allow(host.url);
    const ids: string[] = [];
    for (let n = 0; n <= PLACES; n += 1)
      ids.push((await finishedCall({ ...NO_LINK, recording_url: host.url, metadata: { n } })).id);
    const [last = '', ...others] = ids;
    const underWay = others.map((id) => attempt(id, null));
    await eventually(async () => host.asked(PLACES));
    const progress = { tries: 3, askAt: 0, offered: 1 };
    const left = await attempt(last, progress);
    expect(left).toMatchObject({ message: 'waiting for a free download slot of the account', progress });
    expect(left?.retryInMs).toBeLessThanOrEqual(4_000);
    for (let n = 0; n < PLACES; n += 1) host.answer(n, Buffer.alloc(1_000));
    expect(await Promise.all(underWay)).toEqual(others.map(() => null));
    await host.close();
  });
});
