// When a provider is asked again about a conversation that is silent or has ended: how long the workflow is told to wait.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openWorkerParts } from '../support/worker-parts.js';
import { install, type Installation } from '../support/installation.js';

const ASK_EVERY_S = 900;
const CALLS = 8;

let colloquy: Installation;
let worker: Awaited<ReturnType<typeof openWorkerParts>>;
let passedMs = 0;

beforeAll(async () => {
  colloquy = await install({ deadlines: { silence: 60, ask_every: ASK_EVERY_S } });
  worker = await openWorkerParts(colloquy.config, { deadlines: () => Date.now() + passedMs });
});
afterEach(async () => {
  passedMs = 0;
  colloquy.retell.faults.listStatus.length = 0;
  await colloquy.sql.query('truncate provider_circuits');
});
afterAll(async () => {
  await worker.close();
  await colloquy.close();
});

/** A live call without facts for longer than its `silence`. */
async function silentCall(): Promise<{ callId: string; id: string }> {
  const { call_id: callId } = colloquy.retell.addCall();
  await colloquy.send('call_started', callId);
  await worker.intake.round();
  const { id } = await colloquy.call(callId);
  passedMs = 120_000;
  return { callId, id };
}

describe('an ended call that the provider does not know', () => {
  const SECOND = 2;

  it('is waited for while the account itself does not answer, though nothing but the record is missing', async () => {
    const { call_id: callId } = colloquy.retell.addCompleteCall();
    await colloquy.send('call_analyzed', callId);
    await worker.intake.round();
    const { id } = await colloquy.call(callId);
    colloquy.retell.faults.missing.add(callId);
    colloquy.retell.faults.listStatus = [503];
    await expect(worker.lifecycle.fetchRecord(id, SECOND)).rejects.toThrow('waiting for the record');
    // Now the account answers, so the 404 is accepted.
    expect(await worker.lifecycle.fetchRecord(id, SECOND)).toMatchObject({ phase: 'settling' });
    expect(colloquy.requestsOf(callId, 'get')).toBe(2);
  });
});

describe('a silent call', () => {
  it('is asked about again one interval later, plus up to a tenth at random, and not all at the same moment', async () => {
    const calls: string[] = [];
    for (let call = 0; call < CALLS; call += 1) calls.push((await silentCall()).id);
    const waits = await Promise.all(calls.map(async (id) => (await worker.lifecycle.askProvider(id)).askInMs));
    for (const ms of waits) {
      expect(ms).toBeGreaterThanOrEqual(ASK_EVERY_S * 1_000);
      expect(ms).toBeLessThanOrEqual(ASK_EVERY_S * 1_100);
    }
    expect(new Set(waits).size).toBeGreaterThan(CALLS / 2);
  });

  // The last test: this provider gets no request for an hour afterwards.
  it('is asked about no sooner than Retry-After demands, whichever request received it', async () => {
    const awayMs = 3_600_000;
    const [first, second] = [await silentCall(), await silentCall()];
    colloquy.retell.faults.retryAfterSeconds = awayMs / 1_000;
    colloquy.retell.faults.getStatus.push(429);
    for (const { id } of [first, second]) {
      const view = await worker.lifecycle.askProvider(id);
      expect(view.waitingFor).toBe('the provider answered 429; asking again later');
      // Some seconds may have passed since it was sent.
      expect(view.askInMs).toBeGreaterThan(awayMs - 60_000);
      expect(view.askInMs).toBeLessThanOrEqual(awayMs);
    }
    expect([first, second].map(({ callId }) => colloquy.requestsOf(callId, 'get'))).toEqual([1, 0]);
  });
});
