import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';

let colloquy: Installation;

beforeAll(async () => {
  colloquy = await install({ deadlines: { silence: 1, ask_every: 1, analysis: 3, transcript: 3, audio: 3 } });
  await colloquy.startWorker();
});
afterAll(() => colloquy.close());

/** What an operator reads in the Temporal UI. */
async function currentDetails(handle: WorkflowHandle): Promise<string> {
  const { currentDetails: text } = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
  return text ?? '';
}

const says = (handle: WorkflowHandle, words: RegExp): Promise<string> =>
  eventually(async () => {
    const text = await currentDetails(handle);
    return words.test(text) && text;
  });

describe('a provider that does not answer the watchdog', () => {
  it('is waited for, with its refusal in the current details, and asked again later', async () => {
    const { callId, handle } = await colloquy.liveCall();
    expect(await currentDetails(handle)).toMatch(/live.*its end/s);
    colloquy.retell.faults.getStatus.push(401);
    const details = await says(handle, /the provider answered 401; asking again later/);
    expect(details).toMatch(/transcript \| pending/);
    expect(await colloquy.call(callId)).toMatchObject({ record_state: 'open' });
    colloquy.finish(callId);
    expect(await colloquy.settled(callId)).toMatchObject({ status: 'completed', audio_state: 'present' });
    expect(await handle.result()).toMatchObject({ phase: 'settled' });
  });

  it('is waited for while it is down, and the call settles when it is back', async () => {
    const { callId, handle } = await colloquy.liveCall();
    colloquy.retell.faults.resetConnections = Infinity;
    await says(handle, /the provider cannot be reached; asking again later/);
    colloquy.retell.faults.resetConnections = 0;
    colloquy.finish(callId);
    expect(await colloquy.settled(callId)).toMatchObject({ status: 'completed', audio_state: 'present' });
  });
});

describe('a provider that does not answer after the end', () => {
  it('has no effect if it is back before the deadlines', async () => {
    const { callId } = await colloquy.liveCall();
    colloquy.finish(callId);
    colloquy.retell.faults.getStatus.push(503, 0, 429);
    colloquy.retell.faults.audioStatus.push(503, 0);
    await colloquy.send('call_ended', callId);
    expect(await colloquy.settled(callId)).toMatchObject({
      transcript_state: 'present',
      audio_state: 'present',
      analysis_state: 'present',
    });
  });

  it('settles the call on the basis of its webhooks if it stays away', async () => {
    const { callId } = await colloquy.liveCall();
    colloquy.finish(callId);
    await colloquy.send('call_analyzed', callId);
    colloquy.retell.faults.resetConnections = Infinity;
    const settled = await colloquy.settled(callId);
    colloquy.retell.faults.resetConnections = 0;
    expect(settled).toMatchObject({ status: 'completed', transcript_state: 'present', analysis_state: 'present' });
  });
});
