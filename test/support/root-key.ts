// The root key of a test's installation: processes make none.
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Makes `root.key` in a data folder, where processes look for it by default; returns its path. */
export function newRootKey(folder: string): string {
  const path = join(folder, 'root.key');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, randomBytes(32).toString('hex'), { mode: 0o600, flag: 'wx' });
  return path;
}
