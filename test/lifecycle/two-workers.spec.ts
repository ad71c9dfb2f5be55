import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { install, type Installation } from '../support/installation.js';

let colloquy: Installation;

beforeAll(async () => {
  colloquy = await install();
  await Promise.all([colloquy.startWorker(), colloquy.startWorker()]);
});
afterAll(() => colloquy.close());

describe('two workers', () => {
  it('share the work and do nothing twice if many calls arrive at once', async () => {
    const calls = Array.from(
      { length: 16 },
      (_, index) => colloquy.retell.addCompleteCall({}, `shared ${index}`).call_id,
    );
    await Promise.all(
      calls.flatMap((callId) =>
        ['call_started', 'call_ended', 'call_analyzed'].map((event) => colloquy.send(event, callId)),
      ),
    );
    for (const callId of calls) {
      const settled = await colloquy.settled(callId);
      expect(settled).toMatchObject({ status: 'completed', audio_state: 'present', analysis_state: 'present' });
      const actions = (await colloquy.store.journal(settled.id)).map(({ action }) => action);
      for (const once of ['conversation.created', 'conversation.settled', 'recording.stored']) {
        expect(actions.filter((action) => action === once)).toHaveLength(1);
      }
      expect(colloquy.requestsOf(callId, 'audio')).toBe(1);
    }
    expect(colloquy.recordingFiles()).toHaveLength(calls.length);
  });
});
