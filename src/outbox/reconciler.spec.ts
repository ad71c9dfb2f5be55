import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Log } from '../common/log.js';
import { Reconciler } from './reconciler.js';
import type { Missing } from './missing-workflows.js';

type Found = Record<string, Missing>;
const FOUND: Found = { conversation: { open: 1, started: 1 } };
const MINUTE_MS = 60_000;
const log = new Log('silent');
let reconciler: Reconciler | undefined;

afterEach(() => {
  reconciler?.stop();
  vi.useRealTimers();
});

/** Answers the first looks as told, the later ones with success. */
function looks(...answers: (() => Promise<Found | null>)[]): { times: number[] } {
  const times: number[] = [];
  const startMissing = (): Promise<Found | null> => {
    times.push(Date.now());
    return (answers[times.length - 1] ?? (() => Promise.resolve(FOUND)))();
  };
  reconciler = new Reconciler({ startMissing, log, retryMs: 20 });
  reconciler.nudge();
  return { times };
}

const fail = (): Promise<never> => Promise.reject(new Error('not yet'));

describe('Reconciler', () => {
  it('tries again soon until it succeeds, then rests', async () => {
    const { times } = looks(fail, fail);
    await sleep(200);
    expect(times).toHaveLength(3);
  });

  it('looks again after an hour, and after each further one', async () => {
    vi.useFakeTimers();
    const { times } = looks();
    await vi.advanceTimersByTimeAsync(59 * MINUTE_MS);
    expect(times).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    expect(times).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(60 * MINUTE_MS);
    expect(times).toHaveLength(3);
  });

  it('waits for a nudge while Temporal is away', async () => {
    const { times } = looks(() => Promise.resolve(null));
    await sleep(100);
    expect(times).toHaveLength(1);
    reconciler?.nudge();
    await sleep(20);
    expect(times).toHaveLength(2);
  });

  it('looks once more after the look that is under way, however often it was nudged meanwhile', async () => {
    const { times } = looks(() => sleep(50, FOUND));
    reconciler?.nudge();
    reconciler?.nudge();
    await sleep(150);
    expect(times).toHaveLength(2);
  });

  it('does not look any more once it is stopped', async () => {
    const { times } = looks(fail);
    reconciler?.stop();
    reconciler?.nudge();
    await sleep(60);
    expect(times).toHaveLength(1);
  });
});
