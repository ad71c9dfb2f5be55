// Live transcripts of conversations whose final transcript never arrives.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { speechOf, transcriptFields } from '../../simulators/retell/index.js';
import { publicId } from '../../src/common/ids.js';
import { startApi, type Api } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';

let colloquy: Installation;
let api: Api;

beforeAll(async () => {
  colloquy = await install({ deadlines: { silence: 2, ask_every: 1, transcript: 2, analysis: 2, audio: 2 } });
  api = await startApi(colloquy);
  await colloquy.startWorker();
});
afterAll(async () => {
  await api.close();
  await colloquy.close();
});

const LINES = ['A: Hello, how can I help?', 'U: My order is late.', 'A: I am sorry.'];
const spoken = (count: number) => transcriptFields(speechOf('seed', LINES.slice(0, count)).items);
const NOTHING_SAID = { transcript: undefined, transcript_object: undefined, transcript_with_tool_calls: undefined };

/** A live call with `count` received turns; its record is no longer available. */
async function liveWith(count: number, seed: string): Promise<{ callId: string; url: string }> {
  const { call_id: callId } = colloquy.retell.addCall({ call_id: seed });
  await colloquy.send('call_started', callId);
  const { id } = await colloquy.call(callId);
  if (count > 0) {
    colloquy.retell.calls.update(callId, spoken(count));
    await colloquy.send('transcript_updated', callId);
    await colloquy.call(callId, ({ turn_count }) => turn_count === count);
  }
  colloquy.retell.faults.missing.add(callId);
  return { callId, url: `/v1/conversations/${publicId('conversation', id)}` };
}

const textsOf = (body: Record<string, unknown>): unknown[] =>
  (body['turns'] as { text: string }[]).map(({ text }) => text);

describe.concurrent('the live transcript of a conversation whose final transcript is absent', () => {
  it('is served as not final, with the reason of the absence, if the call was lost', async () => {
    const { callId, url } = await liveWith(2, 'lost_in_speech');
    await colloquy.settled(callId);
    const { body: detail } = await api.call('GET', url);
    expect(detail).toMatchObject({
      turn_count: 2,
      completeness: { transcript: { state: 'absent', reason: 'lost' } },
    });
    const { status, body } = await api.call('GET', `${url}/transcript`);
    expect([status, body['final'], textsOf(body)]).toEqual([
      200,
      false,
      LINES.slice(0, 2).map((line) => line.slice(3)),
    ]);
    expect((await api.call('GET', `${url}/transcript?format=text`)).text).toContain('Customer: My order is late.');
  });

  it('becomes final if the transcript comes after its deadline', async () => {
    const { callId, url } = await liveWith(2, 'late_transcript');
    colloquy.retell.calls.update(callId, NOTHING_SAID);
    colloquy.finish(callId, NOTHING_SAID);
    await colloquy.send('call_ended', callId);
    await colloquy.call(callId, ({ transcript_reason }) => transcript_reason === 'deadline');
    expect((await api.call('GET', `${url}/transcript`)).body).toMatchObject({ final: false, turns: { length: 2 } });
    colloquy.retell.calls.update(callId, spoken(3));
    await colloquy.send('call_analyzed', callId);
    const whole = await eventually(async () => {
      const { body } = await api.call('GET', `${url}/transcript`);
      return body['final'] === true && body;
    });
    expect(textsOf(whole)).toHaveLength(3);
  });

  it('is 404 with the reason if there were no words', async () => {
    const { callId, url } = await liveWith(0, 'lost_in_silence');
    await colloquy.settled(callId);
    expect((await api.call('GET', `${url}/transcript`)).body).toMatchObject({
      status: 404,
      code: 'transcript_absent',
      reason: 'lost',
    });
  });
});
