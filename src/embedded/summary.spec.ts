import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newSecret } from '../access/api-key-secret.js';
import { bootstrapKeys, type BootstrapKeys } from './bootstrap-keys.js';
import { summaryLines } from './summary.js';

let folder: string;
let dataDir: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'colloquy-summary-'));
  // Characters that are special in a shell.
  dataDir = join(folder, `it's $HOME "quoted"`);
  mkdirSync(dataDir);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const keysOf = (given: { bootstrapKey?: string; bootstrapReadKey?: string } = {}): BootstrapKeys =>
  bootstrapKeys({ dataDir, bootstrapKey: given.bootstrapKey, bootstrapReadKey: given.bootstrapReadKey });

const linesOf = (keys: BootstrapKeys): string[] =>
  summaryLines({
    ...{
      apiUrl: 'http://127.0.0.1:3000',
      temporalUiUrl: undefined,
      metricsPorts: { api: 9465, worker: 9464 },
      keys,
      dataDir,
    },
    transcriptPath: undefined,
    traffic: undefined,
    tookMs: 1_000,
  });

/** The arguments that curl gets when the printed command runs in a shell. */
const pasted = (lines: string[], env: Record<string, string> = {}): string[] => {
  const line = lines.find((text) => text.startsWith('  curl ')) ?? '';
  const script = `curl() { printf '%s\\n' "$@"; }; ${line}`;
  return execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8', env: { ...process.env, ...env } }).split('\n');
};

describe('summaryLines', () => {
  it('shows both keys at the start that created them, and a working command', () => {
    const keys = keysOf();
    const lines = linesOf(keys);
    for (const key of [keys.admin, keys.read]) expect(lines.join('\n')).toContain(key);
    expect(pasted(lines)).toContain(`Authorization: Bearer ${keys.read}`);
  });

  it('shows neither key later; the command still works', () => {
    keysOf();
    const keys = keysOf();
    const lines = linesOf(keys);
    for (const key of [keys.admin, keys.read]) expect(lines.join('\n')).not.toContain(key);
    expect(lines.join('\n')).toContain(keys.file);
    expect(pasted(lines)).toContain(`Authorization: Bearer ${keys.read}`);
  });

  it('names the settings instead of showing their keys', () => {
    const given = { bootstrapKey: newSecret(), bootstrapReadKey: newSecret() };
    const lines = linesOf(keysOf(given));
    for (const key of Object.values(given)) expect(lines.join('\n')).not.toContain(key);
    expect(pasted(lines, { COLLOQUY_BOOTSTRAP_READ_KEY: given.bootstrapReadKey })).toContain(
      `Authorization: Bearer ${given.bootstrapReadKey}`,
    );
  });
});
