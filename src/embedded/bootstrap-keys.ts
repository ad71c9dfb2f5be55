// The two keys of a first start: one that administers, one that reads.
import { randomInt } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Config } from '../config/config.js';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

export interface BootstrapKeys {
  admin: string;
  read: string;
  /** Whether a key was made by this start: only then is it shown in full. */
  made: { admin: boolean; read: boolean };
  /** Where made keys are kept, mode 0600, so that the next start passes the same ones. */
  file: string;
}

/** `clq_`, 32 base62 characters, and their CRC-32 in 6 more, so that scanners find leaked keys. */
export function newApiKey(): string {
  const secret = Array.from({ length: 32 }, () => BASE62[randomInt(62)]).join('');
  return `clq_${secret}${base62(crc32(secret), 6)}`;
}

/** The keys of the settings, else those of the data folder, else new ones that are kept there. */
export function bootstrapKeys(config: Pick<Config, 'dataDir' | 'bootstrapKey' | 'bootstrapReadKey'>): BootstrapKeys {
  const file = join(config.dataDir, 'keys.json');
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { admin?: string; read?: string }) : {};
  const admin = config.bootstrapKey ?? kept.admin ?? newApiKey();
  const read = config.bootstrapReadKey ?? kept.read ?? newApiKey();
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

function base62(value: number, length: number): string {
  let rest = value;
  let text = '';
  while (text.length < length) {
    text = `${BASE62[rest % 62] ?? ''}${text}`;
    rest = Math.floor(rest / 62);
  }
  return text;
}
