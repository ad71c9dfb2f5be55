// The two keys of a first start: one that administers, one that reads.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newSecret } from '../access/api-key-secret.js';
import type { Config } from '../config/config.js';

export type BootstrapKeyName = 'admin' | 'read';

export interface BootstrapKeys extends Record<BootstrapKeyName, string> {
  /** Where each is from: made by this start (only then is it shown), kept in `file` by an earlier one, or the settings'. */
  from: Record<BootstrapKeyName, 'made' | 'file' | 'setting'>;
  /** Where made keys are kept, mode 0600, so that the next start passes the same ones. */
  file: string;
}

/** The keys of the settings, else those of the data folder, else new ones that are kept there. */
export function bootstrapKeys(config: Pick<Config, 'dataDir' | 'bootstrapKey' | 'bootstrapReadKey'>): BootstrapKeys {
  const file = join(config.dataDir, 'keys.json');
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { admin?: string; read?: string }) : {};
  const admin = config.bootstrapKey ?? kept.admin ?? newSecret();
  const read = config.bootstrapReadKey ?? kept.read ?? newSecret();
  const fromOf = (given: string | undefined, known: string | undefined): 'made' | 'file' | 'setting' =>
    given !== undefined ? 'setting' : known !== undefined ? 'file' : 'made';
  const from = { admin: fromOf(config.bootstrapKey, kept.admin), read: fromOf(config.bootstrapReadKey, kept.read) };
  if (from.admin === 'made' || from.read === 'made') {
    const keep = { ...kept, ...(from.admin === 'made' && { admin }), ...(from.read === 'made' && { read }) };
    writeFileSync(file, `${JSON.stringify(keep, null, 2)}\n`, { mode: 0o600 });
  }
  return { admin, read, from, file };
}
