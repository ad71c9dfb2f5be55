// A recording with a bucket instead of the folder: from the provider to a listener, and while the bucket is unavailable.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { publicId } from '../../src/common/ids.js';
import { startApi, type Api } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';
import { startS3Server, type S3Server } from '../support/s3-server.js';

let server: S3Server;
let colloquy: Installation;
let api: Api;

beforeAll(async () => {
  server = await startS3Server();
  colloquy = await install({ env: { OBJECT_STORE_URL: server.url } });
  api = await startApi(colloquy);
  await colloquy.startWorker();
});
afterAll(async () => {
  await api.close();
  await colloquy.close();
  await server.close();
});

const download = (id: string, range?: string) =>
  api.app
    .getHttpAdapter()
    .getInstance()
    .inject({
      url: `/v1/conversations/${publicId('conversation', id)}/audio`,
      headers: { authorization: `Bearer ${api.readKey}`, ...(range !== undefined && { range }) },
    });

/** A finished call, and its audio at the provider. */
async function finishedCall(seed: string): Promise<{ callId: string; audio: Buffer }> {
  const { call_id: callId } = colloquy.retell.addCompleteCall({}, seed);
  const link = colloquy.retell.calls.get(callId)?.recording_url ?? '';
  return { callId, audio: Buffer.from(await (await fetch(link)).arrayBuffer()) };
}

describe('a recording in a bucket', () => {
  it("equals the provider's, whole and in ranges, and is sealed in the bucket", async () => {
    const { callId, audio } = await finishedCall('bucket');
    await colloquy.send('call_analyzed', callId);
    const { id, audio_state } = await colloquy.settled(callId);
    expect(audio_state).toBe('present');
    expect((await download(id)).rawPayload.equals(audio)).toBe(true);
    const part = await download(id, 'bytes=20000-40000');
    expect([part.statusCode, part.rawPayload.equals(audio.subarray(20_000, 40_001))]).toEqual([206, true]);
    expect(colloquy.recordingFiles()).toEqual([]);
    const [recording] = await colloquy.store.recordings(id);
    expect(server.requests).toContain(`PUT /recordings/sealed/${recording?.object_key}?x-id=PutObject`);
  });

  it('is waited for while the bucket is unavailable, and stored when it is back', async () => {
    const { callId, audio } = await finishedCall('bucket away');
    server.faultOf = () => 'refuse';
    await colloquy.send('call_analyzed', callId);
    await eventually(async () => colloquy.requestsOf(callId, 'audio') > 2);
    expect(await colloquy.call(callId)).toMatchObject({ audio_state: 'pending', audio_reason: null });
    server.faultOf = () => null;
    const { id, audio_state } = await colloquy.settled(callId);
    expect(audio_state).toBe('present');
    expect((await download(id)).rawPayload.equals(audio)).toBe(true);
  });

  it('is answered with 503 while the bucket is unavailable; /readyz names it but stays 200, because webhooks need no bucket', async () => {
    const { callId } = await finishedCall('listener');
    await colloquy.send('call_analyzed', callId);
    const { id } = await colloquy.settled(callId);
    const ready = async (): Promise<[number, unknown]> => {
      const { status, body } = await api.call('GET', '/readyz');
      return [status, (body['checks'] as Record<string, unknown>)['object_store']];
    };
    expect(await ready()).toEqual([200, 'up']);
    server.faultOf = () => 'refuse';
    const answer = await download(id);
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([503, 'storage_unavailable']);
    expect(answer.headers['retry-after']).toBeDefined();
    // An answer of /readyz may be a second old.
    await vi.waitFor(async () => expect(await ready()).toEqual([200, 'down']), { timeout: 5_000 });
    server.faultOf = () => null;
    expect((await download(id)).statusCode).toBe(200);
  });
});
