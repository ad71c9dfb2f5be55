import { chmod, chown, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataKey } from '../../src/vault/data-key.js';
import { createRootKey, fileRootKey, LocalRootKey, permissionProblem, type RootKey } from '../../src/vault/root-key.js';

const id = { clientId: '019a0000-0000-7000-8000-000000000001', epoch: 742 };
const empty = () => Promise.resolve(true);
const filled = () => Promise.resolve(false);
const hex = (key: DataKey) => key.use((bytes) => bytes.toString('hex'));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'colloquy-root-key-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function written(name: string, content: string | Buffer, mode = 0o600): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  await chmod(path, mode);
  return path;
}

async function opensWhat(wrapper: RootKey, opener: RootKey): Promise<boolean> {
  const kek = DataKey.random('kek');
  return hex(await opener.unwrap(await wrapper.wrap(kek, id), id)) === hex(kek);
}

describe('fileRootKey', () => {
  it('reads 32 raw bytes and 64 hex digits as the same key', async () => {
    const raw = await fileRootKey(await written('raw', Buffer.alloc(32, 0xa1)), filled);
    const text = await fileRootKey(await written('hex', `${'A1'.repeat(32)}\n`), filled);
    expect(await opensWhat(raw, text)).toBe(true);
  });

  it.each([0o640, 0o604, 0o660, 0o644])('refuses a file of mode %o', async (mode) => {
    const path = await written(`mode-${mode}`, 'a1'.repeat(32), mode);
    await expect(fileRootKey(path, empty)).rejects.toThrow(
      /is open to group or others \(mode 06[0-6]{2}\): chmod 600 it$/,
    );
  });

  it('creates none: the error names the command, or the backup if the keystore holds keys', async () => {
    const path = join(folder, 'lost.key');
    await expect(fileRootKey(path, empty)).rejects.toThrow(/is missing: create .* with "colloquy keys init"/);
    await expect(fileRootKey(path, filled)).rejects.toThrow('is missing but the keystore already holds keys');
    expect(await readdir(folder)).not.toContain('lost.key');
  });

  it.each(['', 'a1'.repeat(31), `${'a1'.repeat(31)}zz`, Buffer.alloc(33)])('refuses other content', async (content) => {
    const path = await written('odd', content);
    await expect(fileRootKey(path, empty)).rejects.toThrow('holds neither 32 bytes nor 64 hex digits');
  });

  it('refuses a folder in its place, and a path where no file can be', async () => {
    await expect(fileRootKey(folder, empty)).rejects.toMatchObject({ reason: 'root_key' });
    const path = join(await written('file', 'x'), 'root.key');
    await expect(fileRootKey(path, empty)).rejects.toMatchObject({ reason: 'root_key' });
  });
});

describe('the mode of a root key file', () => {
  const us = 1000;

  it.each([
    [0o400, us, true],
    [0o600, us, true],
    [0o440, us, false],
    [0o444, us, false],
    // A mounted secret: owned by root, readable through our group.
    [0o440, 0, true],
    [0o640, 0, true],
    [0o400, 0, true],
    [0o444, 0, false],
    [0o441, 0, false],
    [0o460, 0, false],
    [0o450, 0, false],
  ])('%o of owner %i: %s', (mode, uid, isTaken) => {
    expect(permissionProblem({ mode: 0o100000 | mode, uid }, us) === null).toBe(isTaken);
  });

  it.runIf(process.getuid?.() === 0)('is taken from the file system', async () => {
    const path = await written('mounted', 'a1'.repeat(32), 0o440);
    await chown(path, 1234, 1234);
    await fileRootKey(path, filled);
    await chmod(path, 0o444);
    await expect(fileRootKey(path, filled)).rejects.toThrow(/is open to others.*\(mode 0444\): chmod 440 it$/);
  });
});

describe('createRootKey', () => {
  it('creates a key of mode 0600 with its folders, which can be read back', async () => {
    const path = join(folder, 'new/deep/root.key');
    await createRootKey(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await readFile(path, 'utf8')).trim()).toMatch(/^[0-9a-f]{64}$/);
    expect(await readdir(join(folder, 'new/deep'))).toEqual(['root.key']);
    expect(await opensWhat(await fileRootKey(path, filled), await fileRootKey(path, filled))).toBe(true);
  });

  it('never replaces one, even when called concurrently', async () => {
    const path = join(folder, 'race/root.key');
    const made = await Promise.allSettled(Array.from({ length: 10 }, () => createRootKey(path)));
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const before = await readFile(path, 'utf8');
    await expect(createRootKey(path)).rejects.toThrow(/exists already and was left unchanged$/);
    expect(await readFile(path, 'utf8')).toBe(before);
    expect(await readdir(join(folder, 'race'))).toEqual(['root.key']);
  });
});

describe('LocalRootKey', () => {
  it('unwraps a key for its client and epoch only, and with the same root key only', async () => {
    const root = new LocalRootKey(Buffer.alloc(32, 1), 'root');
    const wrapped = await root.wrap(DataKey.random('kek'), id);
    await expect(root.unwrap(wrapped, { ...id, epoch: 743 })).rejects.toMatchObject({ reason: 'open_failed' });
    await expect(root.unwrap(wrapped, { ...id, clientId: 'other' })).rejects.toMatchObject({ reason: 'open_failed' });
    const other = new LocalRootKey(Buffer.alloc(32, 2), 'root');
    await expect(other.unwrap(wrapped, id)).rejects.toMatchObject({ reason: 'open_failed' });
  });
});
