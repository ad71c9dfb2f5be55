import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';

let colloquy: Installation;

beforeAll(async () => {
  colloquy = await install({ deadlines: { analysis: 9, transcript: 9, audio: 9 } });
  await colloquy.startWorker();
});
afterAll(() => colloquy.close());

const NO_LINK = { recording_url: undefined, recording_multi_channel_url: undefined };

/** A finished call of a seed whose webhooks have not been sent yet. */
function finished(seed: string, fields: Record<string, unknown> = {}): { callId: string; link: string } {
  const { call_id: callId } = colloquy.retell.addCall(fields, seed);
  colloquy.finish(callId);
  return { callId, link: colloquy.retell.calls.get(callId)?.recording_url ?? '' };
}

/** Length of the audio at the provider, bytes. */
async function bytesAt(link: string): Promise<number> {
  return (await (await fetch(link)).arrayBuffer()).byteLength;
}

async function objectsOf(conversationId: string): Promise<string[]> {
  return colloquy.recordingFiles().filter((name) => name.includes(conversationId));
}

describe.concurrent('the recording', () => {
  it('is fetched if its link arrives after the end', async () => {
    const { callId, link } = finished('link late');
    colloquy.retell.calls.update(callId, NO_LINK);
    await colloquy.send('call_ended', callId);
    expect(await colloquy.call(callId, ({ record_state }) => record_state === 'settling')).toMatchObject({
      audio_state: 'pending',
    });
    colloquy.retell.calls.update(callId, { recording_url: link });
    await colloquy.send('call_analyzed', callId);
    const settled = await colloquy.settled(callId);
    expect(settled.audio_state).toBe('present');
    expect(await colloquy.store.recordings(settled.id)).toMatchObject([{ bytes: String(await bytesAt(link)) }]);
  });

  it('is fetched if its link never comes by webhook: the provider is asked before the audio is declared absent', async () => {
    const { callId, link } = finished('link without webhook');
    colloquy.retell.calls.update(callId, NO_LINK);
    await colloquy.send('call_analyzed', callId);
    await colloquy.call(callId, ({ analysis_state }) => analysis_state === 'present');
    colloquy.retell.calls.update(callId, { recording_url: link });
    expect((await colloquy.settled(callId)).audio_state).toBe('present');
  });

  it('is fetched if it is still being uploaded at first (404)', async () => {
    const { callId } = finished('uploading');
    colloquy.retell.faults.audio404Until.set(callId, Infinity);
    await colloquy.send('call_analyzed', callId);
    await eventually(async () => colloquy.requestsOf(callId, 'audio') === 1);
    colloquy.retell.faults.audio404Until.delete(callId);
    expect((await colloquy.settled(callId)).audio_state).toBe('present');
    expect(colloquy.requestsOf(callId, 'audio')).toBeGreaterThan(1);
  });

  it('is absent with the status as reason at its deadline, if its link has expired (403)', async () => {
    const { callId } = finished('expired');
    colloquy.retell.faults.recordingExpiresAt.set(callId, 0);
    await colloquy.send('call_analyzed', callId);
    const settled = await colloquy.settled(callId);
    expect(settled).toMatchObject({ audio_state: 'absent', audio_reason: 'provider_answered_403' });
    // Nobody tries that link again.
    await colloquy.call(callId, ({ unfetched }) => !unfetched);
    await (await colloquy.workflow(callId)).result();
    expect(await objectsOf(settled.id)).toEqual([]);
  });

  it('is fetched by the webhook’s link if the call is opted out of storage and the record has none', async () => {
    const { callId } = finished('opt out', { data_storage_setting: 'basic_attributes_only' });
    await colloquy.send('call_ended', callId);
    const settled = await colloquy.settled(callId);
    expect(settled).toMatchObject({ audio_state: 'present', transcript_state: 'present' });
    expect(colloquy.requestsOf(callId, 'get')).toBeGreaterThan(0);
  });

  it('is fetched with its redacted variant if the provider offers both', async () => {
    const { callId } = finished('two variants', { data_storage_setting: 'everything_except_pii' });
    const call = colloquy.retell.calls.get(callId);
    expect(call?.scrubbed_recording_url).toBeDefined();
    await colloquy.send('call_analyzed', callId);
    const settled = await colloquy.settled(callId);
    const variants = await eventually(async () => {
      const stored = await colloquy.store.recordings(settled.id);
      return stored.length === 2 && stored.map(({ variant }) => variant);
    });
    expect(variants).toEqual(['mixed', 'redacted']);
    expect(await objectsOf(settled.id)).toHaveLength(2);
  });

  it('is fetched with its redacted variant if that link arrives while the analysis is still pending', async () => {
    const { callId, link } = finished('variant while settling');
    colloquy.retell.calls.update(callId, { call_analysis: undefined });
    await colloquy.send('call_ended', callId);
    await colloquy.call(
      callId,
      ({ record_state, audio_state }) => record_state === 'settling' && audio_state === 'present',
    );
    // The first round of fetching recordings is over; the record is still pending.
    await eventually(async () => colloquy.requestsOf(callId, 'get') >= 2);
    colloquy.retell.calls.update(callId, { scrubbed_recording_url: link });
    await colloquy.send('call_ended', callId);
    const { id } = await colloquy.settled(callId);
    await eventually(async () => (await colloquy.store.recordings(id)).length === 2);
    expect((await colloquy.store.recordings(id)).map(({ variant }) => variant)).toEqual(['mixed', 'redacted']);
  });

  it('is stored by a short run of the workflow if its link arrives after it was declared absent', async () => {
    const { callId, link } = finished('after absent');
    colloquy.retell.calls.update(callId, NO_LINK);
    await colloquy.send('call_ended', callId);
    expect(await colloquy.settled(callId)).toMatchObject({ audio_state: 'absent', audio_reason: 'deadline' });
    const first = await (await colloquy.workflow(callId)).describe();
    colloquy.retell.calls.update(callId, { recording_url: link });
    await colloquy.send('call_analyzed', callId);
    const filled = await colloquy.call(callId, ({ audio_state }) => audio_state === 'present');
    expect(filled).toMatchObject({ record_state: 'settled', audio_reason: null });
    const handle = await colloquy.workflow(callId);
    await handle.result();
    expect((await handle.describe()).runId).not.toBe(first.runId);
  });
});

describe('a download that breaks off', () => {
  it('is tried again, and never leaves a half-written object', async () => {
    const { callId, link } = finished('broken off');
    const bytes = await bytesAt(link);
    colloquy.retell.faults.audioCutAfterBytes.push(1000, Math.floor(bytes / 2));
    await colloquy.send('call_analyzed', callId);
    const settled = await colloquy.settled(callId);
    expect(settled.audio_state).toBe('present');
    expect(await colloquy.store.recordings(settled.id)).toMatchObject([{ variant: 'mixed', bytes: String(bytes) }]);
    const objects = await objectsOf(settled.id);
    expect(objects).toHaveLength(1);
    expect(objects[0]).not.toContain('.part');
  });
});
