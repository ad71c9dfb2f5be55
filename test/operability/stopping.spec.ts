// SIGTERM to real processes during long work. test/http/main.spec.ts covers idle connections and a slow query, test/durability
// the worker's download.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { get, request, type ClientRequest, type IncomingMessage } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newSecret } from '../../src/access/api-key-secret.js';
import { publicId } from '../../src/common/ids.js';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';
import { endPrograms, startApiProgram, startWorkerProgram, type Program } from '../support/programs.js';
import { startSlowHost } from '../support/slow-host.js';

/** More than sockets buffer: a reader that pauses stops the sender. */
const AUDIO = randomBytes(24 * 1024 * 1024);
const reader = newSecret();

let colloquy: Installation;
let audioPath: string;

beforeAll(async () => {
  colloquy = await install();
  const host = await startSlowHost(AUDIO);
  colloquy.allow(host.url);
  host.release();
  const worker = await startWorkerProgram(colloquy.env);
  const { call_id: callId } = colloquy.retell.addCompleteCall({ recording_url: host.url }, 'long recording');
  await colloquy.send('call_analyzed', callId);
  audioPath = `/v1/conversations/${publicId('conversation', (await colloquy.settled(callId, 40)).id)}/audio`;
  await worker.end('SIGTERM');
  await host.close();
}, 90_000);
afterEach(() => endPrograms());
afterAll(() => colloquy.close());

type Api = Program & { url: string };
const startApi = (): Promise<Api> => startApiProgram({ ...colloquy.env, COLLOQUY_BOOTSTRAP_READ_KEY: reader });

const isRefused = ({ url }: Api): Promise<boolean> =>
  fetch(`${url}/healthz`).then(
    () => false,
    () => true,
  );

/** A download whose reader has stopped reading after the first bytes. */
async function pausedDownload({ url }: Api): Promise<IncomingMessage> {
  const sent = get(`${url}${audioPath}`, { headers: { authorization: `Bearer ${reader}` } });
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  expect(response.statusCode).toBe(200);
  await once(response, 'readable');
  return response;
}

async function bytesOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** A webhook of which all but the last byte has been sent. */
function almostSent({ url }: Api, body: string): ClientRequest {
  const path = `/v1/webhooks/${publicId('providerAccount', colloquy.accountId)}`;
  const headers = { 'x-retell-signature': colloquy.retell.sign(body), 'content-length': Buffer.byteLength(body) };
  const sent = request(`${url}${path}`, { method: 'POST', headers });
  sent.write(body.slice(0, -1));
  return sent;
}

describe('an API that is told to stop', () => {
  it('finishes a download and a webhook in progress, accepts nothing new, and exits 0 within 10 s', async () => {
    const api = await startApi();
    const download = await pausedDownload(api);
    const { call_id: callId } = colloquy.retell.addCompleteCall({}, 'arrives while stopping');
    const body = colloquy.retell.webhookBody('call_analyzed', callId);
    const webhook = almostSent(api, body);
    const answered = once(webhook, 'response') as Promise<[IncomingMessage]>;
    // Its head has been read: Fastify waits for the body.
    await fetch(`${api.url}/healthz`);
    const ended = api.end('SIGTERM');
    await eventually(() => isRefused(api));
    webhook.end(body.slice(-1));
    const [answer] = await answered;
    answer.resume();
    expect(answer.statusCode).toBe(200);
    expect((await bytesOf(download)).equals(AUDIO)).toBe(true);
    const { code, tookMs } = await ended;
    expect([code, tookMs < 10_000]).toEqual([0, true]);
    expect(await colloquy.sendBody(body)).toBe('duplicate');
  });

  it('cuts a reader that does not read, and exits 0 within 10 s', async () => {
    const api = await startApi();
    const download = await pausedDownload(api);
    const { code, tookMs } = await api.end('SIGTERM');
    expect([code, tookMs < 10_000]).toEqual([0, true]);
    await expect(bytesOf(download)).rejects.toThrow();
    expect(api.said()).toMatch(/"route":"\/v1\/conversations\/:id\/audio".*"cut":true/);
  });
});

describe('an API that is told to stop twice', () => {
  it('still finishes requests in progress: a Ctrl-C under npm sends two signals', async () => {
    const api = await startApi();
    const download = await pausedDownload(api);
    const first = api.end('SIGINT');
    await eventually(() => isRefused(api));
    const second = api.end('SIGINT');
    expect((await bytesOf(download)).equals(AUDIO)).toBe(true);
    expect([(await first).code, (await second).code]).toEqual([0, 0]);
  });
});

describe('a worker that is told to stop while facts come in', () => {
  it('exits 0 within 10 s and loses none: the next one settles every call once', async () => {
    const worker = await startWorkerProgram(colloquy.env);
    const calls = Array.from(
      { length: 12 },
      (_, index) => colloquy.retell.addCompleteCall({}, `while stopping ${index}`).call_id,
    );
    const sending = (async () => {
      for (const callId of calls) expect(await colloquy.send('call_analyzed', callId)).toBe('stored');
    })();
    await colloquy.call(calls[2] ?? '');
    const { code, tookMs } = await worker.end('SIGTERM');
    expect([code, tookMs < 10_000]).toEqual([0, true]);
    await sending;
    await startWorkerProgram(colloquy.env);
    for (const callId of calls) await colloquy.settled(callId, 40);
    const { rows } = await colloquy.sql.query("select 1 from inbox where state <> 'unknown'");
    expect(rows).toEqual([]);
    const ends = await colloquy.sql.query(
      "select conversation_id from journal where action = 'conversation.settled' group by 1 having count(*) > 1",
    );
    expect(ends.rows).toEqual([]);
  }, 60_000);
});
