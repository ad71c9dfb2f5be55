import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newSecret } from '../access/api-key-secret.js';
import { bootstrapKeys } from './bootstrap-keys.js';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'colloquy-keys-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const settings = (keys: { bootstrapKey?: string; bootstrapReadKey?: string } = {}) => ({
  dataDir,
  bootstrapKey: keys.bootstrapKey,
  bootstrapReadKey: keys.bootstrapReadKey,
});

describe('bootstrapKeys', () => {
  it('creates both keys once, and finds them again', () => {
    const first = bootstrapKeys(settings());
    expect(first.from).toEqual({ admin: 'created', read: 'created' });
    expect(statSync(first.file).mode & 0o777).toBe(0o600);
    expect(bootstrapKeys(settings())).toEqual({ ...first, from: { admin: 'file', read: 'file' } });
  });

  it('prefers the keys of the settings, and does not save them', () => {
    const given = { bootstrapKey: newSecret(), bootstrapReadKey: newSecret() };
    const keys = bootstrapKeys(settings(given));
    expect(keys).toMatchObject({ admin: given.bootstrapKey, read: given.bootstrapReadKey });
    expect(keys.from).toEqual({ admin: 'setting', read: 'setting' });
    expect(() => statSync(keys.file)).toThrow(/ENOENT/);
  });
});
