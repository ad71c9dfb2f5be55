import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventTypes, install, type Installation } from '../support/installation.js';
import { eventually } from '../support/eventually.js';

let colloquy: Installation;

beforeAll(async () => {
  colloquy = await install();
  await colloquy.startWorker();
});
afterAll(() => colloquy.close());

/**
 * Events of the whole plain path: start, watchdog, the signal at the end, two parallel activities, close. If these two do not end
 * together, each has its own workflow task: three more events.
 */
const PLAIN_PATH_EVENTS = [24, 27];

describe('a call from its first webhook to its settled record', () => {
  it('settles with transcript, recording and analysis, in 24 history events, 27 at most', async () => {
    const { callId, handle } = await colloquy.liveCall();
    colloquy.finish(callId);
    await colloquy.send('call_ended', callId);
    const settled = await colloquy.settled(callId);
    expect(settled).toMatchObject({
      status: 'completed',
      end_category: 'customer_hangup',
      transcript_state: 'present',
      audio_state: 'present',
      analysis_state: 'present',
    });
    expect(await handle.result()).toMatchObject({ phase: 'settled' });
    expect(PLAIN_PATH_EVENTS).toContain((await eventTypes(handle)).length);
  });

  it('costs at most 7 more history events for each further signal', async () => {
    const { callId, handle } = await colloquy.liveCall();
    const signals = async (): Promise<number> =>
      (await eventTypes(handle)).filter((type) => type === 'TIMER_STARTED').length;
    for (const sent of [1, 2]) {
      await handle.signal('wake', 'started');
      await eventually(async () => (await signals()) === sent + 1);
    }
    const woken = (await eventTypes(handle)).length;
    expect(woken).toBe(6 + 2 * 7);
    colloquy.finish(callId);
    await colloquy.send('call_ended', callId);
    await handle.result();
    expect(PLAIN_PATH_EVENTS).toContain((await eventTypes(handle)).length - 2 * 7);
  });

  it('does not signal the workflow for turns, nor for transfers that the provider makes by itself', async () => {
    const { callId, handle } = await colloquy.liveCall({ transfer_destination: '+14155550188' });
    for (const event of ['transcript_updated', 'transfer_started', 'transfer_bridged'])
      await colloquy.send(event, callId);
    await colloquy.call(callId, ({ revision }) => revision > 1);
    await eventually(async () => (await colloquy.sql.query('select 1 from inbox')).rows.length === 0);
    expect((await eventTypes(handle)).length).toBe(6);
    expect(await colloquy.call(callId)).toMatchObject({ status: 'active', holder: 'phone' });
    colloquy.finish(callId);
    await colloquy.send('call_ended', callId);
    await handle.result();
    expect(PLAIN_PATH_EVENTS).toContain((await eventTypes(handle)).length);
  });

  it('writes its journal entries: created, ended, recording stored, settled, each with its actor', async () => {
    const { callId } = await colloquy.liveCall();
    colloquy.finish(callId);
    await colloquy.send('call_ended', callId);
    const { id } = await colloquy.settled(callId);
    const journal = await colloquy.store.journal(id);
    expect(journal.map(({ action }) => action).filter((action) => action !== 'conversation.updated')).toEqual(
      expect.arrayContaining([
        'conversation.created',
        'conversation.ended',
        'recording.stored',
        'conversation.settled',
      ]),
    );
    expect(journal[0]).toMatchObject({ action: 'conversation.created', actor_type: 'provider' });
    expect(journal.find(({ action }) => action === 'recording.stored')).toMatchObject({ actor_type: 'workflow' });
  });
});
