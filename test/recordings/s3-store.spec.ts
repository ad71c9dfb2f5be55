// What concerns the bucket only: the network, unfinished uploads, a server that misbehaves.
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/config.js';
import type { ObjectStore } from '../../src/object-store/object-store.js';
import { openObjectStore } from '../../src/object-store/open-object-store.js';
import { eventually } from '../support/eventually.js';
import { startS3Server, type Fault, type S3Server } from '../support/s3-server.js';

const MIB = 1024 * 1024;
const AWAY = { code: 'storage_unavailable', status: 503 };

let server: S3Server;
let store: ObjectStore;

beforeAll(async () => {
  server = await startS3Server();
  store = await openObjectStore(parseConfig({ OBJECT_STORE_URL: server.url }));
});
afterEach(() => {
  server.faultOf = () => null;
});
afterAll(() => server.close());

/** Zeros in pieces of 64 KiB; `sent` counts what was read from it. */
function zeros(size: number): { body: Readable; sent: () => number } {
  let sent = 0;
  const body = Readable.from(
    (async function* () {
      for (; sent < size; sent += 64 * 1024) yield Buffer.alloc(Math.min(64 * 1024, size - sent));
    })(),
    { objectMode: false },
  );
  return { body, sent: () => sent };
}

/** The first `times` matching requests get this fault. */
function failing(fault: Fault, times: number, fits: RegExp = /./): void {
  let left = times;
  server.faultOf = (method, path) => (fits.test(`${method} ${path}`) && left-- > 0 ? fault : null);
}

describe('an upload', () => {
  it('that fails is aborted: nothing of it remains on the server', async () => {
    const broken = Readable.from(
      (async function* () {
        yield Buffer.alloc(12 * MIB);
        throw new Error('the line broke');
      })(),
      { objectMode: false },
    );
    await expect(store.put('a/broken', broken)).rejects.toThrow('the line broke');
    expect(server.requests.filter((request) => request.startsWith('PUT') && request.includes('a/broken'))).not.toEqual(
      [],
    );
    expect(server.unfinished()).toEqual([]);
  });

  it('that the server refuses ends its source stream, and is our own failure, which is retried', async () => {
    const { body } = zeros(20 * MIB);
    failing('refuse', 100, /partNumber=2/);
    await expect(store.put('a/refused', body)).rejects.toMatchObject(AWAY);
    expect(body.destroyed).toBe(true);
    expect(await store.size('a/refused')).toBeNull();
    expect(server.unfinished()).toEqual([]);
  });

  it('continues if the server is busy or the network fails for a moment', async () => {
    failing('slow_down', 2, /PUT/);
    expect(await store.put('a/busy', zeros(6 * MIB).body)).toBe(6 * MIB);
    failing('refuse', 2, /PUT/);
    expect(await store.put('a/network', zeros(100).body)).toBe(100);
  });

  it('waits for the server: the stream is not read ahead', async () => {
    const { body, sent } = zeros(64 * MIB);
    failing('hang', 100, /partNumber/);
    const put = store.put('a/stalled', body).catch(() => undefined);
    await eventually(async () => server.requests.filter((request) => request.includes('a/stalled?part')).length >= 2);
    await sleep(300);
    expect(sent()).toBeLessThan(17 * MIB);
    body.destroy();
    server.faultOf = () => 'refuse';
    server.cut();
    await put;
  });
});

describe('an unavailable store', () => {
  it('causes the same error for every operation', async () => {
    await store.put('b/there', zeros(10).body);
    const there = await store.open('b/there');
    server.faultOf = () => 'refuse';
    await expect(store.size('b/there')).rejects.toMatchObject(AWAY);
    await expect(store.open('b/there')).rejects.toMatchObject(AWAY);
    await expect(buffer(there?.read(0, 9) ?? Readable.from([]))).rejects.toMatchObject(AWAY);
    await expect(store.put('b/new', zeros(10).body)).rejects.toMatchObject(AWAY);
    await expect(store.remove('b/there')).rejects.toMatchObject(AWAY);
    await expect(store.sweep(new Date())).rejects.toMatchObject(AWAY);
    await expect(store.ping()).rejects.toMatchObject(AWAY);
  });

  it('is also one that stays too busy', async () => {
    server.faultOf = () => 'slow_down';
    await expect(store.size('b/there')).rejects.toMatchObject(AWAY);
  });

  it('is also one without our bucket, or one that does not accept our key', async () => {
    const other = await openObjectStore(
      parseConfig({ OBJECT_STORE_URL: server.url.replace('recordings', 'elsewhere') }),
    );
    await expect(other.ping()).rejects.toMatchObject(AWAY);
    await expect(other.put('b/new', zeros(10).body)).rejects.toMatchObject(AWAY);
  });

  it('ends a stream with the same error if it fails in the middle', async () => {
    await store.put('b/long', zeros(2 * MIB).body);
    const long = await store.open('b/long');
    failing('break_off', 1);
    await expect(buffer(long?.read(0, 2 * MIB - 1) ?? Readable.from([]))).rejects.toMatchObject(AWAY);
  });
});

describe('paused readers', () => {
  const LISTENERS = 100;

  it('keep nobody else from reading, and get every byte of their range when they continue', async () => {
    const content = randomBytes(9 * MIB);
    await store.put('d/long', Readable.from([content], { objectMode: false }));
    const long = await store.open('d/long');
    if (long === null) throw new Error('it was just stored');
    const range = (index: number): [number, number] => [index * 1_000, 8 * MIB + index * 1_000];
    const paused = Array.from({ length: LISTENERS }, (_, index) => long.read(...range(index))[Symbol.asyncIterator]());
    const first = await Promise.all(paused.map((reader) => reader.next()));
    const begun = performance.now();
    expect((await buffer(long.read(0, 5 * MIB))).equals(content.subarray(0, 5 * MIB + 1))).toBe(true);
    expect(performance.now() - begun).toBeLessThan(3_000);
    // Two of them continue, the others leave.
    for (const at of [0, LISTENERS - 1]) {
      const pieces = [Buffer.from(first[at]?.value as Uint8Array)];
      const reader = { [Symbol.asyncIterator]: () => paused[at] } as AsyncIterable<Uint8Array>;
      for await (const piece of reader) pieces.push(Buffer.from(piece));
      const [start, end] = range(at);
      expect(Buffer.concat(pieces).equals(content.subarray(start, end + 1))).toBe(true);
    }
    for (const reader of paused) await reader.return?.();
  });

  it('request one part at a time', async () => {
    const long = await store.open('d/long');
    const before = server.requests.length;
    const reader = long?.read(0, 9 * MIB - 1)[Symbol.asyncIterator]();
    await reader?.next();
    await reader?.return?.();
    expect(server.requests.slice(before)).toHaveLength(1);
    expect(await buffer(long?.read(0, 9 * MIB - 1) ?? Readable.from([]))).toHaveLength(9 * MIB);
    expect(server.requests.slice(before)).toHaveLength(6);
  });
});

describe('a sweep', () => {
  const begin = async (key: string): Promise<void> => {
    const { body } = zeros(64 * MIB);
    // Neither parts nor the abort get through, as when a worker is killed.
    server.faultOf = (method, path) => (path.includes('partNumber') || method === 'DELETE' ? 'refuse' : null);
    await expect(store.put(key, body)).rejects.toMatchObject(AWAY);
    server.faultOf = () => null;
  };

  it('removes what interrupted uploads left behind, once it is old enough', async () => {
    await store.sweep(new Date(Date.now() + 1000));
    await begin('c/killed');
    expect(server.unfinished()).toHaveLength(1);
    expect(await store.sweep(new Date(Date.now() - 3_600_000))).toBe(0);
    expect(server.unfinished()).toHaveLength(1);
    expect(await store.sweep(new Date(Date.now() + 1000))).toBe(1);
    expect(server.unfinished()).toEqual([]);
    expect(await store.sweep(new Date(Date.now() + 1000))).toBe(0);
  });

  it('does nothing if the server does not list uploads', async () => {
    server.faultOf = () => 'not_offered';
    expect(await store.sweep(new Date())).toBe(0);
  });
});
