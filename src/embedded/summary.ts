import type { BootstrapKeys } from './bootstrap-keys.js';

export interface Summary {
  apiUrl: string;
  temporalUiUrl: string | undefined;
  keys: BootstrapKeys;
  dataDir: string;
  /** Path of a transcript that can be read now. */
  transcriptPath: string | undefined;
  tookMs: number;
}

/** What a person needs next, as a table, and one line to paste. */
export function summaryLines(summary: Summary): string[] {
  const { apiUrl, temporalUiUrl, keys, dataDir, transcriptPath } = summary;
  const key = (name: 'admin' | 'read', setting: string): string =>
    keys.made[name] ? keys[name] : `made before (${setting}, or ${keys.file})`;
  const rows: [string, string][] = [
    ['API', apiUrl],
    ['Interactive docs', `${apiUrl}/docs`],
    ['Temporal UI', temporalUiUrl ?? 'set TEMPORAL_UI_URL to see it here'],
    ['Admin key', key('admin', 'COLLOQUY_BOOTSTRAP_KEY')],
    ['Read key', key('read', 'COLLOQUY_BOOTSTRAP_READ_KEY')],
    ['Data and logs', dataDir],
  ];
  const curl = (path: string): string => `curl -s -H "Authorization: Bearer ${keys.read}" "${apiUrl}${path}"`;
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  return [
    '',
    `Colloquy is ready after ${(summary.tookMs / 1000).toFixed(1)} s. Ctrl-C stops everything.`,
    '',
    ...rows.map(([name, value]) => `  ${name.padEnd(width)}${value}`),
    '',
    transcriptPath === undefined
      ? 'No conversation has a transcript yet; see what there is:'
      : 'Paste this to see the transcript of a call:',
    `  ${curl(transcriptPath ?? '/v1/conversations')}`,
    '',
  ];
}
