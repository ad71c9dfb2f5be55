// One suite over both drivers. With COLLOQUY_TEST_S3_URL (and AWS credentials) the bucket is that one instead of s3rver's.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newUuid } from '../../src/common/ids.js';
import { parseConfig } from '../../src/config/config.js';
import type { ObjectStore } from '../../src/object-store/object-store.js';
import { openObjectStore } from '../../src/object-store/open-object-store.js';
import { newRecordingRef, objectKeyOf, type RecordingRef } from '../../src/recordings/recording-object.js';
import { RecordingStore } from '../../src/recordings/recording-store.js';
import { encryptChunked } from '../../src/vault/sealing/chunked.js';
import { DataKey } from '../../src/vault/data-key.js';
import { startS3Server } from '../support/s3-server.js';

const MIB = 1024 * 1024;

interface Place {
  url: string;
  close(): Promise<void> | void;
}

async function folder(): Promise<Place> {
  const path = mkdtempSync(join(tmpdir(), 'colloquy-objects-'));
  const left = (): string[] =>
    readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => /part/.test(name));
  const close = (): void => {
    const torn = left();
    rmSync(path, { recursive: true });
    if (torn.length > 0) throw new Error('a torn file was left behind');
  };
  return { url: `file:${path}`, close };
}

async function bucket(): Promise<Place> {
  const given = process.env['COLLOQUY_TEST_S3_URL'];
  return given === undefined ? startS3Server() : { url: given, close: () => undefined };
}

const bytes = (size: number): Buffer => randomBytes(size);
const of = (...pieces: Buffer[]): Readable => Readable.from(pieces, { objectMode: false });
const newKey = (): string => `${bytes(4).toString('hex')}/${bytes(4).toString('hex')}`;
const newRecording = (): RecordingRef => newRecordingRef({ clientId: newUuid(), conversationId: newUuid() }, 'mixed');

/** A stream that fails after `size` bytes. */
function broken(size: number): Readable {
  return Readable.from(
    (async function* () {
      for (let sent = 0; sent < size; sent += 64 * 1024) yield Buffer.alloc(64 * 1024, 1);
      throw new Error('the line broke');
    })(),
    { objectMode: false },
  );
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes of all buffers in use. */
function held(): number {
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

describe.each([
  ['folder', folder],
  ['bucket', bucket],
])('a %s', (_name, open) => {
  let place: Place;
  let store: ObjectStore;

  beforeAll(async () => {
    place = await open();
    store = await openObjectStore(parseConfig({ OBJECT_STORE_URL: place.url }));
  });
  afterAll(() => place.close());

  const readAll = async (key: string, start: number, end: number): Promise<Buffer> => {
    const object = await store.open(key);
    if (object === null) throw new Error('no such object');
    const pieces: Buffer[] = [];
    try {
      // A piece is valid until the next one is requested.
      for await (const piece of object.read(start, end)) pieces.push(Buffer.from(piece));
    } finally {
      await object.close();
    }
    return Buffer.concat(pieces);
  };

  it('returns what was stored, whole and in parts', async () => {
    const key = newKey();
    const content = bytes(300_001);
    expect(await store.put(key, of(content.subarray(0, 7), content.subarray(7)))).toBe(content.length);
    expect(await store.size(key)).toBe(content.length);
    for (const [start, end] of [
      [0, 300_000],
      // Not 0 to 0, for which s3rver returns the whole object.
      [0, 1],
      [300_000, 300_000],
      [65_535, 65_537],
      [1, 299_999],
    ] as const)
      expect((await readAll(key, start, end)).equals(content.subarray(start, end + 1))).toBe(true);
  });

  it('returns null for an object that was never stored, and lets it be removed', async () => {
    const key = newKey();
    expect(await store.size(key)).toBeNull();
    await store.remove(key);
  });

  it('replaces an object, and removes it', async () => {
    const key = newKey();
    await store.put(key, of(bytes(1000)));
    const second = bytes(10);
    await store.put(key, of(second));
    expect(await store.size(key)).toBe(10);
    expect(await readAll(key, 0, 9)).toEqual(second);
    await store.remove(key);
    expect(await store.size(key)).toBeNull();
  });

  it.each([
    ['a small stream', 64 * 1024],
    ['one of several parts', 12 * MIB],
  ])('shows nothing of %s that fails, and passes its error on', async (_what, size) => {
    const key = newKey();
    await expect(store.put(key, broken(size))).rejects.toThrow('the line broke');
    expect(await store.size(key)).toBeNull();
  });

  it('keeps the existing object if a new one fails', async () => {
    const key = newKey();
    const former = bytes(100);
    await store.put(key, of(former));
    await expect(store.put(key, broken(6 * MIB))).rejects.toThrow('the line broke');
    expect(await readAll(key, 0, 99)).toEqual(former);
  });

  it('shows an object only once it is complete', async () => {
    const key = newKey();
    const seen: (number | null)[] = [];
    const slow = Readable.from(
      (async function* () {
        for (let part = 0; part < 3; part += 1) {
          yield Buffer.alloc(5 * MIB, part);
          seen.push(await store.size(key));
        }
      })(),
      { objectMode: false },
    );
    await store.put(key, slow);
    expect(seen).toEqual([null, null, null]);
    expect(await store.size(key)).toBe(15 * MIB);
  });

  it('stores 64 MiB with bounded memory', async () => {
    const key = newKey();
    const piece = bytes(64 * 1024);
    const before = held();
    let most = 0;
    const long = Readable.from(
      (async function* () {
        for (let sent = 0; sent < 64 * MIB; sent += piece.length) {
          if (sent % (4 * MIB) === 0) most = Math.max(most, held() - before);
          yield Buffer.from(piece);
        }
      })(),
      { objectMode: false },
    );
    expect(await store.put(key, long)).toBe(64 * MIB);
    expect(most).toBeLessThan(48 * MIB);
    expect(await readAll(key, 64 * MIB - piece.length, 64 * MIB - 1)).toEqual(piece);
    await store.remove(key);
  });

  it('answers a ping', async () => {
    await store.ping();
  });

  it('stores recordings sealed: any range opens, and an altered one does not', async () => {
    const recordings = new RecordingStore(store);
    const key = DataKey.random('test');
    const ref = newRecording();
    const audio = bytes(200_000);
    expect(await recordings.write(ref, key, of(audio))).toBe(audio.length);
    const part = async (start: number, end: number, from = recordings): Promise<Buffer> =>
      buffer(await from.read({ ...ref, bytes: audio.length }, key, start, end));
    expect((await part(0, 199_999)).equals(audio)).toBe(true);
    expect((await part(16_380, 16_390)).equals(audio.subarray(16_380, 16_391))).toBe(true);

    const objectKey = objectKeyOf(ref);
    const sealed = await readAll(objectKey, 0, ((await store.size(objectKey)) ?? 0) - 1);
    expect(sealed.includes(audio.subarray(0, 64))).toBe(false);
    sealed[sealed.length - 100] = (sealed[sealed.length - 100] ?? 0) ^ 1;
    await store.put(objectKey, of(sealed));
    // The chunks before it are right; the stream fails at the altered one.
    await expect(part(0, 199_999)).rejects.toMatchObject({ reason: 'open_failed' });
    expect((await part(0, 99)).equals(audio.subarray(0, 100))).toBe(true);
    await store.put(objectKey, of(sealed.subarray(0, -1)));
    await expect(part(0, 99, new RecordingStore(store))).rejects.toMatchObject({ reason: 'open_failed' });
    await store.remove(objectKey);
    await expect(part(0, 99, new RecordingStore(store))).rejects.toMatchObject({ code: 'internal' });
  });

  it('does not open an older object of a recording in place of a newer one', async () => {
    const recordings = new RecordingStore(store);
    const key = DataKey.random('test');
    const owner = { clientId: newUuid(), conversationId: newUuid() };
    const [older, newer] = [newRecordingRef(owner, 'mixed'), newRecordingRef(owner, 'mixed')];
    expect(older.id).toBe(newer.id);
    for (const ref of [older, newer]) await recordings.write(ref, key, of(bytes(1000)));
    const size = (await store.size(objectKeyOf(older))) ?? 0;
    await store.put(objectKeyOf(newer), of(await readAll(objectKeyOf(older), 0, size - 1)));
    const replaced = recordings.readBytes({ ...newer, bytes: 1000 }, key, 0, 9);
    await expect(replaced).rejects.toMatchObject({ reason: 'open_failed' });
  });

  it('opens a recording stored before there were versions', async () => {
    const recordings = new RecordingStore(store);
    const key = DataKey.random('test');
    const ref = { ...newRecording(), version: null };
    const audio = bytes(1000);
    const sealed = encryptChunked(key, JSON.stringify(['recording', 1, ref.clientId, ref.conversationId, ref.id]));
    sealed.end(audio);
    await store.put(`${ref.clientId}/${ref.conversationId}/${ref.id}`, sealed);
    expect(await recordings.readBytes({ ...ref, bytes: 1000 }, key, 0, 999)).toEqual(audio);
  });

  it('stores nothing if announcing fails, and releases the stream', async () => {
    const recordings = new RecordingStore(store, () => Promise.reject(new Error('not announced')));
    const [ref, audio] = [newRecording(), broken(MIB)];
    await expect(recordings.write(ref, DataKey.random('test'), audio)).rejects.toThrow('not announced');
    expect(audio.destroyed).toBe(true);
    expect(await store.size(objectKeyOf(ref))).toBeNull();
  });

  it('passes on the error of a stream that fails while it is being announced', async () => {
    const audio = of(bytes(100));
    const recordings = new RecordingStore(store, async () => {
      audio.destroy(new Error('the line broke'));
      await new Promise(setImmediate);
    });
    await expect(recordings.write(newRecording(), DataKey.random('test'), audio)).rejects.toThrow('the line broke');
  });

  it('is read by chunks only, once the head of a recording is known', async () => {
    const asked: string[] = [];
    const watched: Pick<ObjectStore, 'open'> = {
      open: async (key, known) => {
        asked.push(known === undefined ? 'size' : 'no size');
        const object = await store.open(key, known);
        const reads = (start: number, end: number): AsyncIterable<Uint8Array> => {
          asked.push(`${start}`);
          return object?.read(start, end) ?? of(Buffer.alloc(0));
        };
        return object && { ...object, read: reads };
      },
    };
    const recordings = new RecordingStore(Object.assign(Object.create(store) as ObjectStore, watched));
    const key = DataKey.random('test');
    const [ref, another] = [newRecording(), newRecording()].map((one) => ({ ...one, bytes: 50_000 }));
    if (ref === undefined || another === undefined) throw new Error('two are asked for');
    for (const one of [ref, another]) await recordings.write(one, key, of(bytes(50_000)));
    await recordings.readBytes(ref, key, 0, 9);
    await recordings.readBytes(ref, key, 20_000, 20_009);
    expect(asked).toEqual(['size', '0', '57', 'no size', '16457']);
    await recordings.readBytes(another, key, 0, 9);
    expect(asked.slice(5)).toEqual(['size', '0', '57']);
  });
});
