// Creates the root key of a test's installation, because processes never create one.
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Creates `root.key` in a data folder, its default location; returns the path. */
export function newRootKey(folder: string): string {
  const path = join(folder, 'root.key');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, randomBytes(32).toString('hex'), { mode: 0o600, flag: 'wx' });
  return path;
}
