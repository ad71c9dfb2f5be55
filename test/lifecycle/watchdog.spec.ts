import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';

let colloquy: Installation;

beforeAll(async () => {
  colloquy = await install({ deadlines: { silence: 1, ask_every: 1, analysis: 2, transcript: 2, audio: 2 } });
  await colloquy.startWorker();
});
afterAll(() => colloquy.close());

const asked = (callId: string, times: number): Promise<unknown> =>
  eventually(async () => colloquy.requestsOf(callId, 'get') >= times);

/** A call that the provider no longer knows, declared lost by the watchdog; `ended` is the webhook that was on its way. */
async function lostCall(seed: string): Promise<{ callId: string; ended: string; id: string }> {
  const { callId } = await colloquy.liveCall({ call_id: seed });
  colloquy.finish(callId);
  const ended = colloquy.retell.webhookBody('call_ended', callId);
  colloquy.retell.faults.missing.add(callId);
  const { id } = await colloquy.settled(callId);
  return { callId, ended, id };
}

describe.concurrent('a silent call', () => {
  it('is asked about again and again and stays open while the provider says that it is live', async () => {
    const { callId } = await colloquy.liveCall({ call_id: 'goes_on' });
    await asked(callId, 2);
    expect(await colloquy.call(callId)).toMatchObject({ status: 'active', record_state: 'open' });
    colloquy.finish(callId);
    await colloquy.send('call_ended', callId);
    expect(await colloquy.settled(callId)).toMatchObject({ status: 'completed' });
  });

  it('is not asked about while its webhooks keep arriving', async () => {
    const { callId } = await colloquy.liveCall({ call_id: 'speaks' });
    const words = (text: string): string =>
      JSON.stringify({
        event: 'transcript_updated',
        call: {
          call_id: callId,
          call_type: 'phone_call',
          call_status: 'ongoing',
          transcript_object: [{ role: 'user', content: text, words: [{ word: text, start: 0, end: 1 }] }],
        },
      });
    const until = Date.now() + 3000;
    let [last, silences] = [Date.now(), 0];
    for (let turn = 0; Date.now() < until; turn += 1) {
      await colloquy.sendBody(words(`turn ${turn}`));
      // A busy machine may cause silence by itself.
      if (Date.now() - last > 700) silences += 1;
      last = Date.now();
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(colloquy.requestsOf(callId, 'get')).toBeLessThanOrEqual(silences);
  });

  it('settles without any webhook if it has ended at the provider', async () => {
    const { callId } = await colloquy.liveCall({ call_id: 'ended_silently' });
    colloquy.finish(callId);
    const settled = await colloquy.settled(callId);
    expect(settled).toMatchObject({
      status: 'completed',
      end_category: 'customer_hangup',
      transcript_state: 'present',
      audio_state: 'present',
      analysis_state: 'present',
    });
  });

  it('is lost, with the evidence in the journal, if the provider does not know it', async () => {
    const { callId, id } = await lostCall('unknown_there');
    expect(await colloquy.call(callId)).toMatchObject({
      status: 'failed',
      end_category: 'lost',
      end_party: null,
      transcript_reason: 'lost',
      audio_reason: 'lost',
      analysis_reason: 'lost',
    });
    const journal = await colloquy.store.journal(id);
    expect(journal).toContainEqual(
      expect.objectContaining({
        action: 'conversation.ended',
        reason: 'provider_does_not_know_it',
        actor_type: 'workflow',
      }),
    );
  });

  it('is revived from lost by a late call_ended, and waits for its parts again', async () => {
    const { callId, ended } = await lostCall('taken_back');
    // Later than any deadline that counts from the moment it was declared lost.
    await new Promise((resolve) => setTimeout(resolve, 2500));
    colloquy.retell.faults.missing.delete(callId);
    await colloquy.sendBody(ended);
    const settled = await colloquy.call(
      callId,
      ({ record_state, end_category }) => record_state === 'settled' && end_category === 'customer_hangup',
    );
    expect(settled).toMatchObject({
      status: 'completed',
      transcript_state: 'present',
      audio_state: 'present',
      analysis_state: 'present',
    });
    expect(await colloquy.store.header(settled)).toMatchObject({ provider_reason: 'user_hangup' });
  });

  it('is requested from the provider if it is revived from lost by a webhook with everything', async () => {
    const { callId } = await lostCall('taken_back_whole');
    const asked = colloquy.requestsOf(callId, 'get');
    colloquy.retell.faults.missing.delete(callId);
    await colloquy.send('call_analyzed', callId);
    await colloquy.call(
      callId,
      ({ record_state, end_category }) => record_state === 'settled' && end_category !== 'lost',
    );
    expect(colloquy.requestsOf(callId, 'get')).toBeGreaterThan(asked);
  });
});
