// A store of recordings that hangs, refuses, or fails half of its writes, while webhooks with audio wait for it: nothing else
// waits, and every recording is stored once the store works again.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startElevenLabsSimulator, type ElevenLabsSimulator } from '../../simulators/elevenlabs/index.js';
import { publicId } from '../../src/common/ids.js';
import { seedAccount, seedClient } from '../support/accounts.js';
import { startApi, type Api } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';
import { LATE_MS, startS3Server, type Fault, type S3Server } from '../support/s3-server.js';

const CONVERSATIONS = 6;

let server: S3Server;
let colloquy: Installation;
let elevenlabs: ElevenLabsSimulator;
let api: Api;
let accountId: string;
let neighbour: string;

beforeAll(async () => {
  server = await startS3Server();
  colloquy = await install({ env: { OBJECT_STORE_URL: server.url } });
  api = await startApi(colloquy);
  elevenlabs = await startElevenLabsSimulator({ apiKey: 'xi_test', webhookSecret: 'wsec_test' });
  colloquy.allow(elevenlabs.baseUrl);
  const account = {
    provider: 'elevenlabs',
    api_key: elevenlabs.apiKey,
    webhook_secret: elevenlabs.webhookSecret,
    base_url: elevenlabs.baseUrl,
  };
  accountId = await colloquy.addAccount(account);
  neighbour = await seedAccount(colloquy, await seedClient(colloquy), account);
  await colloquy.startWorker();
});
afterAll(async () => {
  await api.close();
  await colloquy.close();
  await elevenlabs.close();
  await server.close();
});

/** Sends a webhook as ElevenLabs does; resolves with its body. */
async function send(account: string, type: string, id: string): Promise<string> {
  const body = elevenlabs.webhookBody(type, id);
  const request = { rawBody: Buffer.from(body), headers: { 'elevenlabs-signature': elevenlabs.sign(body) } };
  expect((await colloquy.door.receive(publicId('providerAccount', account), request)).result).toBe('stored');
  return body;
}

/** A conversation whose audio exists only in its webhook: its id at the provider → the audio. */
async function audioOnly(seed: string): Promise<[id: string, audio: Buffer]> {
  const { conversation_id: id } = elevenlabs.addCompleteConversation({}, { seed, zeroRetention: true });
  const { data } = JSON.parse(await send(accountId, 'post_call_audio', id)) as { data: { full_audio: string } };
  return [id, Buffer.from(data.full_audio, 'base64')];
}

/** How many conversations of the other client have their transcript. */
const shown = async (): Promise<number> => {
  const text = "select 1 from conversations where provider_account_id = $1 and transcript_state = 'present'";
  return (await colloquy.sql.query(text, [neighbour])).rows.length;
};

/** Milliseconds until a conversation of the other client shows the content of its webhook. */
async function untilVisible(seed: string): Promise<number> {
  const { conversation_id: id } = elevenlabs.addCompleteConversation({}, { seed, zeroRetention: true });
  const before = await shown();
  const from = performance.now();
  await send(neighbour, 'post_call_transcription', id);
  await eventually(async () => (await shown()) > before);
  return performance.now() - from;
}

const puts = (): number => server.requests.filter((request) => request.startsWith('PUT ')).length;

/** Half of all objects, by the last character of their names. */
const halfOf = (path: string): boolean => (path.split('?')[0]?.at(-1) ?? '').charCodeAt(0) % 2 === 0;

const FAULTS: [what: string, faultOf: (method: string, path: string) => Fault][] = [
  ['hangs for 9 s', (method) => (method === 'PUT' ? 'late' : null)],
  ['refuses', () => 'refuse'],
  ['fails half of its writes', (method, path) => (method === 'PUT' && halfOf(path) ? 'refuse' : null)],
];

/** Postponed facts need not wait for longer than a second. */
const makeDue = () =>
  colloquy.sql.query("update inbox set retry_at = now() where postponements > 0 and retry_at > now() + interval '1 s'");
const applied = (): Promise<boolean> =>
  eventually(async () => {
    await makeDue();
    return (await colloquy.sql.query('select 1 from inbox')).rows.length === 0;
  }, 40);

describe('a store of recordings', () => {
  it.each(FAULTS)(
    'that %s delays nothing but the audio, which is stored once it works again',
    async (what, faultOf) => {
      server.faultOf = faultOf;
      const before = puts();
      const audio = new Map(
        await Promise.all(Array.from({ length: CONVERSATIONS }, (_, n) => audioOnly(`${what} ${n}`))),
      );
      if (what !== 'refuses') await eventually(async () => puts() > before);
      expect(await untilVisible(`beside ${what}`)).toBeLessThan(LATE_MS / 3);
      const { rows } = await colloquy.sql.query("select 1 from inbox where state = 'parked' or attempts > 0");
      expect(rows).toEqual([]);
      server.faultOf = () => null;
      await applied();
      for (const [id, bytes] of audio) {
        const identity = { accountId, kind: 'conversation', providerId: id };
        const found = await colloquy.conversationOf(identity, ({ audio_state: state }) => state === 'present');
        expect(await colloquy.store.recordings(found.id)).toHaveLength(1);
        const url = `/v1/conversations/${publicId('conversation', found.id)}/audio`;
        const headers = { authorization: `Bearer ${api.readKey}` };
        const { rawPayload } = await api.app.getHttpAdapter().getInstance().inject({ url, headers });
        expect(rawPayload.equals(bytes)).toBe(true);
        const stored = (await colloquy.store.journal(found.id)).filter(({ action }) => action === 'recording.stored');
        expect(stored).toHaveLength(1);
      }
    },
  );

  it('that refuses is tried less and less often, though everything that waits is due', async () => {
    server.faultOf = () => 'refuse';
    const before = server.requests.length;
    await Promise.all(Array.from({ length: CONVERSATIONS }, (_, n) => audioOnly(`due ${n}`)));
    for (const until = performance.now() + 4_000; performance.now() < until; await sleep(100))
      await colloquy.sql.query('update inbox set retry_at = now() where postponements > 0 and retry_at > now()');
    // Three tries and one already running, then one after a second and one two seconds later; each makes three requests.
    expect(server.requests.length - before).toBeLessThanOrEqual(6 * 3);
    expect(server.requests.length - before).toBeGreaterThanOrEqual(3 * 3);
    server.faultOf = () => null;
    await applied();
  });
});
