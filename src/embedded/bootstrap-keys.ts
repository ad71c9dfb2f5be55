// The two API keys that `npm run up` creates at its first start: an admin key and a read key.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newSecret } from '../access/api-key-secret.js';
import type { Config } from '../config/config.js';

export type BootstrapKeyName = 'admin' | 'read';

export interface BootstrapKeys extends Record<BootstrapKeyName, string> {
  /** Origin of each key: created by this start (only then it is printed), read from `file`, or set in the environment. */
  from: Record<BootstrapKeyName, 'created' | 'file' | 'setting'>;
  /** File with the created keys, mode 0600, so that later starts use the same ones. */
  file: string;
}

/** The keys of the settings, otherwise those in the data folder, otherwise new ones, which are saved there. */
export function bootstrapKeys(config: Pick<Config, 'dataDir' | 'bootstrapKey' | 'bootstrapReadKey'>): BootstrapKeys {
  const file = join(config.dataDir, 'keys.json');
  const saved = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { admin?: string; read?: string }) : {};
  const admin = config.bootstrapKey ?? saved.admin ?? newSecret();
  const read = config.bootstrapReadKey ?? saved.read ?? newSecret();
  const fromOf = (given: string | undefined, known: string | undefined): 'created' | 'file' | 'setting' =>
    given !== undefined ? 'setting' : known !== undefined ? 'file' : 'created';
  const from = { admin: fromOf(config.bootstrapKey, saved.admin), read: fromOf(config.bootstrapReadKey, saved.read) };
  if (from.admin === 'created' || from.read === 'created') {
    const keep = { ...saved, ...(from.admin === 'created' && { admin }), ...(from.read === 'created' && { read }) };
    writeFileSync(file, `${JSON.stringify(keep, null, 2)}\n`, { mode: 0o600 });
  }
  return { admin, read, from, file };
}
