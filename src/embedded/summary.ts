// What is printed once everything runs.
import type { BootstrapKeyName, BootstrapKeys } from './bootstrap-keys.js';

export interface Summary {
  apiUrl: string;
  temporalUiUrl: string | undefined;
  metricsPorts: { api: number; worker: number };
  keys: BootstrapKeys;
  dataDir: string;
  /** Path of a transcript that can be read now. */
  transcriptPath: string | undefined;
  /** What comes of the simulated providers; undefined without them. */
  traffic: string | undefined;
  tookMs: number;
}

const SETTING = { admin: 'COLLOQUY_BOOTSTRAP_KEY', read: 'COLLOQUY_BOOTSTRAP_READ_KEY' };

/** What a person needs next, as a table, and one line to paste. */
export function summaryLines(summary: Summary): string[] {
  const { apiUrl, temporalUiUrl, metricsPorts, keys, dataDir, transcriptPath, traffic } = summary;
  const rows: [string, string][] = [
    ['API', apiUrl],
    ['Interactive docs', `${apiUrl}/docs`],
    ['Temporal UI', temporalUiUrl ?? 'set TEMPORAL_UI_URL to see it here'],
    ['API metrics', `http://127.0.0.1:${metricsPorts.api}/metrics`],
    ['Worker metrics', `http://127.0.0.1:${metricsPorts.worker}/metrics`],
    ['Admin key', shown(keys, 'admin')],
    ['Read key', shown(keys, 'read')],
    ['Data and logs', dataDir],
    ...(traffic === undefined ? [] : [['Simulated traffic', traffic] satisfies [string, string]]),
  ];
  const curl = (path: string): string => `curl -s -H "Authorization: Bearer ${inShell(keys)}" "${apiUrl}${path}"`;
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

/** A key in full where it was made, and only there. */
function shown(keys: BootstrapKeys, name: BootstrapKeyName): string {
  const where = { made: keys[name], file: `made before, see ${keys.file}`, setting: `that of ${SETTING[name]}` };
  return where[keys.from[name]];
}

/** The read key for a line that works when it is pasted: later starts say where it lies instead of showing it. */
function inShell({ read, from, file }: BootstrapKeys): string {
  const script = `require(${JSON.stringify(file)}).read`.replaceAll("'", String.raw`'\''`);
  return { made: read, file: `$(node -p '${script}')`, setting: `$${SETTING.read}` }[from.read];
}
