// A provider that answers 404 for a live conversation: the second 404 is accepted, if its account answers.
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';

let colloquy: Installation;

beforeAll(async () => {
  colloquy = await install({ deadlines: { silence: 1, ask_every: 1, analysis: 2, transcript: 2, audio: 2 } });
  await colloquy.startWorker();
});
afterEach(() => {
  colloquy.retell.faults.listStatus.length = 0;
  colloquy.retell.faults.getStatus.length = 0;
});
afterAll(() => colloquy.close());

const says = (handle: WorkflowHandle, words: RegExp): Promise<string> =>
  eventually(async () => {
    const { currentDetails = '' } = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
    return words.test(currentDetails) && currentDetails;
  });
const asked = (callId: string, times: number): Promise<unknown> =>
  eventually(async () => colloquy.requestsOf(callId, 'get') >= times);
const lists = (): number => colloquy.retell.requests.filter(({ path }) => path.startsWith('/v3/list-calls')).length;

describe('a live call that the provider does not know', () => {
  it('stays live if the provider knows it the next time', async () => {
    const { callId, handle } = await colloquy.liveCall();
    colloquy.retell.faults.missing.add(callId);
    await says(handle, /the provider does not know it; asking once more/);
    colloquy.retell.faults.missing.delete(callId);
    await asked(callId, colloquy.requestsOf(callId, 'get') + 2);
    expect(await colloquy.call(callId)).toMatchObject({ status: 'active', record_state: 'open' });
    colloquy.finish(callId);
    expect(await colloquy.settled(callId)).toMatchObject({ status: 'completed' });
  });

  it('is lost if the provider does not know it a second time and the account answers', async () => {
    const before = lists();
    const { callId } = await colloquy.liveCall();
    colloquy.retell.faults.missing.add(callId);
    expect(await colloquy.settled(callId)).toMatchObject({ status: 'failed', end_category: 'lost' });
    expect(colloquy.requestsOf(callId, 'get')).toBe(2);
    expect(lists()).toBe(before + 1);
  });

  it.each([401, 503])('keeps waiting and says why, while the account itself answers %i', async (status) => {
    const { callId, handle } = await colloquy.liveCall();
    colloquy.retell.faults.listStatus = Array.from({ length: 50 }, () => status);
    colloquy.retell.faults.missing.add(callId);
    await says(handle, new RegExp(`its account does not answer \\(provider_answered_${status}\\); asking again later`));
    await asked(callId, 3);
    expect(await colloquy.call(callId)).toMatchObject({ status: 'active', record_state: 'open' });
    colloquy.retell.faults.listStatus.length = 0;
    expect(await colloquy.settled(callId)).toMatchObject({ end_category: 'lost' });
  });
});

describe('an ended call that the provider does not know', () => {
  it('is waited for while the account itself does not answer', async () => {
    const { callId } = await colloquy.liveCall();
    colloquy.finish(callId, { recording_url: undefined });
    colloquy.retell.faults.listStatus = Array.from({ length: 50 }, () => 503);
    colloquy.retell.faults.missing.add(callId);
    await colloquy.send('call_ended', callId);
    await asked(callId, 2);
    colloquy.retell.faults.missing.delete(callId);
    expect(await colloquy.settled(callId)).toMatchObject({ status: 'completed', analysis_state: 'present' });
  });
});
