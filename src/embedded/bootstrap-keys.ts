// The two keys of a first start: one that administers, one that reads.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newSecret } from '../access/api-key-secret.js';
import type { Config } from '../config/config.js';

export interface BootstrapKeys {
  admin: string;
  read: string;
  /** Whether a key was made by this start: only then is it shown in full. */
  made: { admin: boolean; read: boolean };
  /** Where made keys are kept, mode 0600, so that the next start passes the same ones. */
  file: string;
}

/** The keys of the settings, else those of the data folder, else new ones that are kept there. */
export function bootstrapKeys(config: Pick<Config, 'dataDir' | 'bootstrapKey' | 'bootstrapReadKey'>): BootstrapKeys {
  const file = join(config.dataDir, 'keys.json');
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { admin?: string; read?: string }) : {};
  const admin = config.bootstrapKey ?? kept.admin ?? newSecret();
  const read = config.bootstrapReadKey ?? kept.read ?? newSecret();
  const made = {
    admin: config.bootstrapKey === undefined && kept.admin === undefined,
    read: config.bootstrapReadKey === undefined && kept.read === undefined,
  };
  if (made.admin || made.read) {
    const keep = { ...kept, ...(made.admin ? { admin } : {}), ...(made.read ? { read } : {}) };
    writeFileSync(file, `${JSON.stringify(keep, null, 2)}\n`, { mode: 0o600 });
  }
  return { admin, read, made, file };
}
