import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderStore } from './folder-store.js';

let folder: string;
let store: FolderStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'folder-store-'));
  store = new FolderStore(folder);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const files = (): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(folder, name)).isFile());

/** Yields some bytes, then fails. */
function broken(): Readable {
  return Readable.from(
    (function* () {
      yield Buffer.from('half');
      throw new Error('the connection broke');
    })(),
  );
}

describe('FolderStore', () => {
  it('stores a stream and returns its size, in folders that only their owner may enter', async () => {
    expect(
      await store.put('client/conversation/recording', Readable.from([Buffer.from('abc'), Buffer.from('def')])),
    ).toBe(6);
    expect(readFileSync(join(folder, 'client/conversation/recording'), 'utf8')).toBe('abcdef');
    expect(statSync(join(folder, 'client')).mode & 0o077).toBe(0);
    expect(statSync(join(folder, 'client/conversation/recording')).mode & 0o077).toBe(0);
  });

  it('reads a range, both ends included', async () => {
    await store.put('a/b', Readable.from([Buffer.from('0123456789')]));
    const object = await store.open('a/b');
    expect(object?.bytes).toBe(10);
    expect(await text(object?.read(2, 4) ?? Readable.from([]))).toBe('234');
    await object?.close();
  });

  it('returns the size of an object, and null if there is none', async () => {
    await store.put('a/b', Readable.from([Buffer.from('12345')]));
    expect([await store.size('a/b'), await store.size('a/c'), await store.size('x/y')]).toEqual([5, null, null]);
  });

  it('replaces an existing object', async () => {
    await store.put('a/b', Readable.from([Buffer.from('long and old')]));
    await store.put('a/b', Readable.from([Buffer.from('new')]));
    expect(readFileSync(join(folder, 'a/b'), 'utf8')).toBe('new');
    expect(files()).toEqual(['a/b']);
  });

  it('leaves nothing behind and keeps the old object when a stream fails', async () => {
    await expect(store.put('a/new', broken())).rejects.toThrow('the connection broke');
    expect(files()).toEqual([]);
    await store.put('a/b', Readable.from([Buffer.from('old')]));
    await expect(store.put('a/b', broken())).rejects.toThrow('the connection broke');
    expect(readFileSync(join(folder, 'a/b'), 'utf8')).toBe('old');
  });

  it('keeps one of two concurrent writes, complete', async () => {
    await Promise.all(['one', 'two'].map((body) => store.put('a/b', Readable.from([Buffer.from(body)]))));
    expect(['one', 'two']).toContain(readFileSync(join(folder, 'a/b'), 'utf8'));
    expect(files()).toEqual(['a/b']);
  });

  it('removes an object, and ignores one that does not exist', async () => {
    await store.put('a/b', Readable.from([Buffer.from('x')]));
    await store.remove('a/b');
    await store.remove('a/b');
    expect(files()).toEqual([]);
  });

  it('sweeps old interrupted uploads, but neither recent ones nor objects', async () => {
    await store.put('a/object', Readable.from([Buffer.from('x')]));
    const old = new Date(Date.now() - 60_000);
    for (const name of ['torn.part', 'young.part']) writeFileSync(join(folder, 'a', name), 'x');
    utimesSync(join(folder, 'a/torn.part'), old, old);
    utimesSync(join(folder, 'a/object'), old, old);
    expect(await store.sweep(new Date(Date.now() - 30_000))).toBe(1);
    expect(files().sort()).toEqual(['a/object', 'a/young.part']);
  });

  it('sweeps nothing if nothing was ever stored', async () => {
    expect(await new FolderStore(join(folder, 'absent')).sweep(new Date())).toBe(0);
  });

  it.each(['../outside', '/etc/passwd', 'a/../../outside', ''])(
    'refuses a key that leads out of its folder: "%s"',
    async (key) => {
      await expect(store.put(key, Readable.from([Buffer.from('x')]))).rejects.toThrow(RangeError);
      expect(files()).toEqual([]);
    },
  );
});
