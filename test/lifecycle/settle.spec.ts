import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publicId } from '../../src/common/ids.js';
import { install, type Installation } from '../support/installation.js';

let colloquy: Installation;

beforeAll(async () => {
  colloquy = await install();
  await colloquy.startWorker();
});
afterAll(() => colloquy.close());

describe('a call from its first webhook to its settled record', () => {
  it('settles with transcript, recording and analysis, in at most 27 history events', async () => {
    const { retell } = colloquy;
    const call = retell.addCall();
    await colloquy.send('call_started', call.call_id);
    const live = await colloquy.conversationWhen(({ status }) => status === 'active');
    const workflowId = `conversation/${publicId('conversation', live.id)}`;
    await expect
      .poll(
        async () =>
          (
            await colloquy.temporal.workflow
              .getHandle(workflowId)
              .describe()
              .catch(() => null)
          )?.status.name,
      )
      .toBe('RUNNING');

    retell.endCall(call.call_id);
    retell.analyze(call.call_id);
    await colloquy.send('call_ended', call.call_id);
    const settled = await colloquy.conversationWhen(({ record_state }) => record_state === 'settled');
    expect(settled).toMatchObject({
      status: 'completed',
      transcript_state: 'present',
      audio_state: 'present',
      analysis_state: 'present',
    });

    const handle = colloquy.temporal.workflow.getHandle(workflowId);
    expect(await handle.result()).toMatchObject({ phase: 'settled' });
    const { events } = await handle.fetchHistory();
    expect(events?.length).toBeLessThanOrEqual(27);
    console.log(
      'events',
      events?.length,
      events?.map((e) => e.eventType),
    );
  });
});
