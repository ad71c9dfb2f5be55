// Several attempts at one recording: each writes its own object, the record references one, the others are removed.
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { publicId } from '../../src/common/ids.js';
import type { FactTarget } from '../../src/intake/fact-writer.js';
import type { StoredRecording } from '../../src/reducer/fact.js';
import { newRecordingRef, objectKeyOf } from '../../src/recordings/recording-object.js';
import { startApi, type Api } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { install, type Installation } from '../support/installation.js';
import { openWorkerParts } from '../support/worker-parts.js';
import { startPatientHost, type PatientHost } from './patient-host.js';

const FIRST = randomBytes(50_000);
/** What the provider sends the second time: longer, with other bytes. */
const SECOND = randomBytes(60_000);

let colloquy: Installation;
let api: Api;
let worker: Awaited<ReturnType<typeof openWorkerParts>>;
let host: PatientHost;
let calls = 0;

beforeAll(async () => {
  colloquy = await install();
  api = await startApi(colloquy);
  worker = await openWorkerParts(colloquy.config);
});
beforeEach(async () => {
  host = await startPatientHost();
  colloquy.allow(host.url);
});
afterEach(() => host.close());
afterAll(async () => {
  await api.close();
  await worker.close();
  await colloquy.close();
});

/** A finished call whose recording has not been fetched yet. */
async function finishedCall(): Promise<string> {
  calls += 1;
  const { call_id: callId } = colloquy.retell.addCompleteCall({ recording_url: host.url }, `attempts ${calls}`);
  await colloquy.send('call_analyzed', callId);
  await worker.intake.round();
  return (await colloquy.call(callId)).id;
}

const attempt = (id: string) => worker.fetcher.fetch(id, { progress: null, signal: new AbortController().signal });
const objectsOf = (id: string): string[] => colloquy.recordingFiles().filter((name) => name.includes(id));
const named = async (id: string): Promise<string[]> =>
  (await colloquy.store.recordings(id)).map(({ object_key }) => object_key);
const listen = (id: string, range?: string) =>
  api.app
    .getHttpAdapter()
    .getInstance()
    .inject({
      url: `/v1/conversations/${publicId('conversation', id)}/audio`,
      headers: { authorization: `Bearer ${api.readKey}`, ...(range !== undefined && { range }) },
    });

describe('two overlapping attempts', () => {
  it('leave the recording as the record references it, even if the provider sent other bytes the second time', async () => {
    const id = await finishedCall();
    const first = attempt(id);
    await eventually(async () => host.asked(1));
    const second = attempt(id);
    await eventually(async () => host.asked(2));
    host.answer(0, FIRST);
    await first;
    host.answer(1, SECOND);
    await second;
    const { statusCode, rawPayload } = await listen(id);
    expect([statusCode, rawPayload.equals(FIRST)]).toEqual([200, true]);
    expect(objectsOf(id)).toEqual(await named(id));
  });
});

describe('an object that no record references', () => {
  it('is removed after a day if a crash left it, and the recording stays', async () => {
    const { id, left } = await crashedAttempt();
    await fetched(id);
    expect(objectsOf(id)).toEqual([left, ...(await named(id))].sort());
    await sweep();
    expect(objectsOf(id)).toContain(left);
    await age(left);
    expect(await sweep()).toBe(1);
    expect(objectsOf(id)).toEqual(await named(id));
    expect((await listen(id)).rawPayload.equals(SECOND)).toBe(true);
    expect(await orphanedKeys(id)).toEqual([]);
  });

  it.each(['pending', 'parked'])('stays while a fact of its conversation is %s, however old it is', async (state) => {
    const { id, left, recording, target } = await crashedAttempt();
    await appendFact(target, recording);
    await colloquy.sql.query('update inbox set state = $1, parked_at = now()', [state]);
    await age(left);
    expect(await sweep()).toBe(0);
    await colloquy.sql.query("update inbox set state = 'pending'");
    await worker.intake.round();
    expect(await named(id)).toEqual([left]);
    expect((await listen(id)).rawPayload.equals(FIRST)).toBe(true);
    expect([await orphanedKeys(id), await sweep()]).toEqual([[], 0]);
  });

  it('stays while facts of its conversation are being applied', async () => {
    const { id, left } = await crashedAttempt();
    await age(left);
    await worker.database.withScope('all', async (tx) => {
      const text = 'select 1 from conversation_identities where id = $1 for no key update';
      await tx.query({ text, values: [id] });
      expect(await sweep()).toBe(0);
    });
    expect(await sweep()).toBe(1);
  });

  it('is the earlier object, if an earlier fact that waited replaces it', async () => {
    const { id, left, recording, target } = await crashedAttempt();
    await appendFact(target, recording);
    // As if it had been parked while the recording was fetched again.
    await colloquy.sql.query("update inbox set state = 'parked'");
    await fetched(id);
    const [former = ''] = await named(id);
    await colloquy.sql.query("update inbox set state = 'pending'");
    await worker.intake.round();
    expect([await named(id), await orphanedKeys(id)]).toEqual([[left], [former]]);
    await age(former);
    expect(await sweep()).toBe(1);
    expect(objectsOf(id)).toEqual([left]);
    expect((await listen(id)).rawPayload.equals(FIRST)).toBe(true);
  });
});

describe('a recording that was stored before objects had versions', () => {
  it('is served, whole and in ranges', async () => {
    const { id, left, recording, target } = await crashedAttempt({ version: null });
    expect(left).toBe(`${colloquy.clientId}/${id}/${recording.id}`);
    await appendFact(target, recording);
    await worker.intake.round();
    expect((await listen(id)).rawPayload.equals(FIRST)).toBe(true);
    expect((await listen(id, 'bytes=20000-40000')).rawPayload.equals(FIRST.subarray(20_000, 40_001))).toBe(true);
  });
});

/** An attempt that stored {@link FIRST} and crashed before it reported the fact. */
async function crashedAttempt(more: { version?: null } = {}) {
  const id = await finishedCall();
  const target = await worker.snapshots.read(id);
  if (target === null) throw new Error('there is no such conversation');
  const keys = await colloquy.vault.existingConversationKeys(id, ['audio']);
  const ref = { ...newRecordingRef(target, 'mixed'), ...more };
  const bytes = await worker.store.write(ref, keys.get('audio'), Readable.from([FIRST], { objectMode: false }));
  const left = objectKeyOf(ref);
  const recording: StoredRecording = {
    id: ref.id,
    variant: 'mixed',
    content_type: 'audio/wav',
    bytes,
    duration_ms: null,
    object_key: left,
    created_at: Date.now(),
  };
  return { id, left, recording, target };
}

/** Writes its fact into the inbox only. */
async function appendFact({ account, identityHash }: FactTarget, recording: StoredRecording): Promise<void> {
  const body = Buffer.from(JSON.stringify({ kind: 'recording_stored', recording }));
  const fact = { account, identity: { hash: identityHash }, body };
  await worker.inbox.append({ ...fact, source: 'workflow', kind: 'recording_stored' });
}

async function fetched(id: string): Promise<void> {
  const attempted = attempt(id);
  await eventually(async () => host.asked(1));
  host.answer(0, SECOND);
  await attempted;
}

const sweep = (): Promise<number> => worker.orphaned.sweep(new Date(Date.now() - 86_400_000));
const age = (objectKey: string) =>
  colloquy.sql.query("update orphaned_objects set since = now() - interval '25 hours' where object_key = $1", [
    objectKey,
  ]);
const orphanedKeys = async (id: string): Promise<string[]> =>
  (
    await colloquy.sql.query<{ object_key: string }>(
      'select object_key from orphaned_objects where conversation_id = $1',
      [id],
    )
  ).rows.map(({ object_key }) => object_key);
