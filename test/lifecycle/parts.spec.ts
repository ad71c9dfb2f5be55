import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { install, type Installation } from '../support/installation.js';

let colloquy: Installation;

const NO_WORDS = { transcript: undefined, transcript_object: undefined, transcript_with_tool_calls: undefined };

beforeAll(async () => {
  colloquy = await install({ deadlines: { analysis: 9, transcript: 9, audio: 9 } });
  await colloquy.startWorker();
});
afterAll(() => colloquy.close());

/** A call that ended without its analysis, once everything else is stored. */
async function endedCall(seed: string, fields: Record<string, unknown> = {}): Promise<string> {
  const { call_id: callId } = colloquy.retell.addCall({}, seed);
  await colloquy.send('call_started', callId);
  colloquy.retell.endCall(callId, fields);
  await colloquy.send('call_ended', callId);
  return callId;
}

describe.concurrent('the analysis', () => {
  it('is taken from its webhook if that arrives during the wait', async () => {
    const callId = await endedCall('analysis by webhook');
    const waiting = await colloquy.call(callId, ({ audio_state }) => audio_state === 'present');
    expect(waiting).toMatchObject({ record_state: 'settling', transcript_state: 'present', analysis_state: 'pending' });
    colloquy.retell.analyze(callId);
    await colloquy.send('call_analyzed', callId);
    expect(await colloquy.settled(callId)).toMatchObject({ analysis_state: 'present', analysis_reason: null });
  });

  it('is taken from the record if its webhook never arrives', async () => {
    const callId = await endedCall('analysis by record');
    await colloquy.call(callId, ({ audio_state }) => audio_state === 'present');
    colloquy.retell.analyze(callId, { call_summary: 'the summary of the record' });
    const settled = await colloquy.settled(callId);
    expect(settled.analysis_state).toBe('present');
    expect(await colloquy.store.header(settled)).toMatchObject({ summary: 'the summary of the record' });
  });

  it('is absent with a reason at the deadline if it never arrives, and is filled in if it arrives late', async () => {
    const callId = await endedCall('analysis never');
    const settled = await colloquy.settled(callId);
    expect(settled).toMatchObject({ analysis_state: 'absent', analysis_reason: 'deadline', audio_state: 'present' });
    const journal = await colloquy.store.journal(settled.id);
    expect(journal).toContainEqual(
      expect.objectContaining({ action: 'part.declared_absent', reason: 'analysis: deadline', actor_type: 'workflow' }),
    );
    colloquy.retell.analyze(callId, { call_summary: 'a late summary' });
    await colloquy.send('call_analyzed', callId);
    const filled = await colloquy.call(callId, ({ analysis_state }) => analysis_state === 'present');
    expect(filled).toMatchObject({ record_state: 'settled', analysis_reason: null });
    expect(await colloquy.store.header(filled)).toMatchObject({ summary: 'a late summary' });
  });
});

describe.concurrent('the transcript', () => {
  it('is absent at its deadline if nobody ever sends one', async () => {
    const callId = await endedCall('no transcript', NO_WORDS);
    colloquy.retell.analyze(callId);
    expect(await colloquy.settled(callId)).toMatchObject({
      transcript_state: 'absent',
      transcript_reason: 'deadline',
      analysis_state: 'present',
    });
  });

  it('is absent at once if the provider says that it is empty', async () => {
    const callId = await endedCall('empty transcript', { ...NO_WORDS, transcript_with_tool_calls: [] });
    colloquy.retell.analyze(callId);
    const waiting = await colloquy.call(callId, ({ transcript_state }) => transcript_state === 'absent');
    expect(waiting.transcript_reason).toBe('empty');
  });

  it('is kept as the webhooks contained it, if the provider no longer knows the call', async () => {
    const { call_id: callId } = colloquy.retell.addCompleteCall({}, 'deleted at once');
    colloquy.retell.faults.missing.add(callId);
    await colloquy.send('call_analyzed', callId);
    const settled = await colloquy.settled(callId);
    expect(settled).toMatchObject({ status: 'completed', transcript_state: 'present', audio_state: 'present' });
  });
});
