// A recording that was altered in the store: what its listener gets, and what history and log say.
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '../../src/common/errors.js';
import { newUuid, publicId } from '../../src/common/ids.js';
import { Log } from '../../src/common/log.js';
import { ApiDatabase } from '../../src/database/database.js';
import { RecordingIntegrity } from '../../src/recordings/recording-integrity.js';
import { chunkOffset, recordingFailed } from '../../src/vault/sealing/chunk-format.js';
import { startApi, type Api } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';
import { startSlowHost, type SlowHost } from '../support/slow-host.js';

/** Long enough for a stream of several pieces. */
const AUDIO = randomBytes(700_000);
/** The plaintext chunk that is altered holds bytes 458,752 to 475,135. */
const ALTERED_CHUNK = 28;

let colloquy: Installation;
let api: Api;
let host: SlowHost;
let url: string;
let conversationId: string;
let path: string;
let whole: Buffer;
let altered: Buffer;

beforeAll(async () => {
  colloquy = await install();
  api = await startApi(colloquy);
  await api.app.listen(0, '127.0.0.1');
  host = await startSlowHost(AUDIO);
  colloquy.allow(host.url);
  host.release();
  await colloquy.startWorker();
  const { call_id: callId } = colloquy.retell.addCompleteCall({ recording_url: host.url }, 'tampered');
  await colloquy.send('call_analyzed', callId);
  ({ id: conversationId } = await colloquy.settled(callId));
  const { port } = api.app.getHttpServer().address() as AddressInfo;
  url = `http://127.0.0.1:${port}/v1/conversations/${publicId('conversation', conversationId)}/audio`;
  const [recording] = await colloquy.store.recordings(conversationId);
  path = join(colloquy.config.dataDir, 'recordings', recording?.object_key ?? '');
  whole = readFileSync(path);
  altered = Buffer.from(whole);
  const at = chunkOffset(ALTERED_CHUNK) + 9;
  altered.writeUInt8(altered.readUInt8(at) ^ 1, at);
  writeFileSync(path, altered);
});
afterAll(async () => {
  await api.close();
  await colloquy.close();
  await host.close();
});

const get = (range?: string, key = api.readKey): Promise<Response> =>
  fetch(url, { headers: { authorization: `Bearer ${key}`, ...(range !== undefined && { range }) } });

/** What arrived, and whether the connection was cut before the end. */
async function heard(response: Response): Promise<{ bytes: Buffer; isCut: boolean }> {
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of response.body ?? []) pieces.push(piece as Uint8Array);
    return { bytes: Buffer.concat(pieces), isCut: false };
  } catch {
    return { bytes: Buffer.concat(pieces), isCut: true };
  }
}

interface Failure {
  action: string;
  client_id: string;
  object_ids: string[];
  actor_type: string;
  actor_id: string;
  reason: string;
}

const failures = async (): Promise<Failure[]> =>
  (
    await colloquy.sql.query<Failure>(
      "select * from journal where action = 'integrity.failed' and conversation_id = $1 order by position",
      [conversationId],
    )
  ).rows;

describe('a range that cannot be decrypted', () => {
  it.each([
    ['a short one', 'bytes=460000-460099'],
    ['a long one, when its beginning does not open', 'bytes=458752-699999'],
  ])('is a problem document, without headers of the intended response: %s', async (_, range) => {
    const response = await get(range);
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ code: 'internal', status: 500 });
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    for (const name of ['content-range', 'accept-ranges', 'etag'])
      expect([name, response.headers.get(name)]).toEqual([name, null]);
  });

  it('ends in a cut connection after correct bytes, if some were sent', async () => {
    const response = await get('bytes=100-699999');
    expect([response.status, response.headers.get('content-length')]).toEqual([206, '699900']);
    const { bytes, isCut } = await heard(response);
    expect(isCut).toBe(true);
    expect(bytes.length).toBeGreaterThan(0);
    expect(bytes.equals(AUDIO.subarray(100, 100 + bytes.length))).toBe(true);
  });

  it('does not affect the rest of the recording', async () => {
    expect((await heard(await get('bytes=0-299999'))).bytes.equals(AUDIO.subarray(0, 300_000))).toBe(true);
  });
});

describe('the history', () => {
  it('has one entry for a recording that cannot be decrypted, however often it is requested', async () => {
    await Promise.all(Array.from({ length: 8 }, () => get('bytes=460000-460099')));
    await heard(await get());
    const entry = await eventually(async () => (await failures())[0]);
    expect(await failures()).toEqual([entry]);
    const { rows } = await colloquy.sql.query<{ id: string }>('select id from recordings where conversation_id = $1', [
      conversationId,
    ]);
    expect(entry).toMatchObject({
      client_id: colloquy.clientId,
      object_ids: rows.map(({ id }) => id),
      reason: 'open_failed',
      actor_type: 'system',
      actor_id: 'recordings',
    });
  });

  it('has an entry even if the connection was cut after correct bytes', async () => {
    await forget();
    await heard(await get('bytes=0-699999'));
    await eventually(async () => (await failures()).length === 1);
  });

  it('has another entry an hour later, and none for a recording that can be decrypted', async () => {
    await backdate();
    await get('bytes=460000-460099');
    expect(await failures()).toHaveLength(2);
    await backdate();
    writeFileSync(path, whole);
    expect((await heard(await get())).bytes.equals(AUDIO)).toBe(true);
    expect(await failures()).toHaveLength(2);
  });

  it('does not hide the failure if it cannot be written', async () => {
    writeFileSync(path, altered);
    await backdate();
    // The read itself is journaled already for these five minutes: only the failure remains to be written.
    await get('bytes=0-9');
    await colloquy.sql.query('revoke insert on journal from colloquy_api');
    try {
      expect((await get('bytes=460000-460099')).status).toBe(500);
    } finally {
      await colloquy.sql.query('grant insert on journal to colloquy_api');
    }
  });
});

describe('the log', () => {
  it('names the recording by its ids, and says nothing about other failures', async () => {
    const lines: string[] = [];
    const log = new Log('info', { write: (line: string) => void lines.push(line) });
    const integrity = new RecordingIntegrity(api.app.get(ApiDatabase), log);
    const recording = { id: newUuid(), conversation: { id: conversationId, client_id: colloquy.clientId } };
    await integrity.report(new AppError('storage_unavailable', 'away'), recording);
    await integrity.report(recordingFailed(), recording);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({
        msg: 'a stored recording does not open',
        conversation_id: publicId('conversation', conversationId),
        recording_id: publicId('recording', recording.id),
      }),
    ]);
  });
});

/** The journal is append-only: only its owner can change times like this. */
const asOwner = (statement: string): Promise<unknown> =>
  colloquy.sql.query(`alter table journal disable trigger journal_append_only; ${statement};
    alter table journal enable trigger journal_append_only`);
const forget = (): Promise<unknown> => asOwner("delete from journal where action = 'integrity.failed'");
const backdate = (): Promise<unknown> =>
  asOwner("update journal set time = time - interval '61 minutes' where action = 'integrity.failed'");
