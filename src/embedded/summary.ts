// The summary that `npm run up` prints once everything runs.
import type { BootstrapKeyName, BootstrapKeys } from './bootstrap-keys.js';

export interface Summary {
  apiUrl: string;
  temporalUiUrl: string | undefined;
  metricsPorts: { api: number; worker: number };
  keys: BootstrapKeys;
  dataDir: string;
  /** Path of a transcript that can be read now. */
  transcriptPath: string | undefined;
  /** A note about the simulated traffic; undefined without simulators. */
  traffic: string | undefined;
  tookMs: number;
}

const SETTING = { admin: 'COLLOQUY_BOOTSTRAP_KEY', read: 'COLLOQUY_BOOTSTRAP_READ_KEY' };

/** A table of URLs and keys, and a curl command to paste. */
export function summaryLines(summary: Summary): string[] {
  const { apiUrl, temporalUiUrl, metricsPorts, keys, dataDir, transcriptPath, traffic } = summary;
  const rows: [string, string][] = [
    ['API', apiUrl],
    ['Interactive docs', `${apiUrl}/docs`],
    ['Temporal UI', temporalUiUrl ?? 'set TEMPORAL_UI_URL to see it here'],
    ['API metrics', `http://127.0.0.1:${metricsPorts.api}/metrics`],
    ['Worker metrics', `http://127.0.0.1:${metricsPorts.worker}/metrics`],
    ['Admin key', describeKey(keys, 'admin')],
    ['Read key', describeKey(keys, 'read')],
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

/** The key itself only at the start that created it; otherwise where it is. */
function describeKey(keys: BootstrapKeys, name: BootstrapKeyName): string {
  const where = {
    created: keys[name],
    file: `created earlier, see ${keys.file}`,
    setting: `the value of ${SETTING[name]}`,
  };
  return where[keys.from[name]];
}

/** A shell expression for the read key. Later starts read it from its file instead of printing it. */
function inShell({ read, from, file }: BootstrapKeys): string {
  const script = `require(${JSON.stringify(file)}).read`.replaceAll("'", String.raw`'\''`);
  return { created: read, file: `$(node -p '${script}')`, setting: `$${SETTING.read}` }[from.read];
}
