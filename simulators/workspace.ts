// Starts a simulated Retell workspace with its saved state and its traffic, and ends both.
import { randomBytes } from 'node:crypto';
import { addHistory } from './retell/history.js';
import { startRetellSimulator, type RetellSimulator } from './retell/server.js';
import { StateFolder, type SavedSettings } from './state.js';
import { Traffic, type TrafficOptions } from './traffic.js';

/** What the command line decides. Absent `apiKey` and `seed`: those of the state folder, else new ones. */
export interface WorkspaceOptions extends Omit<TrafficOptions, 'simulator' | 'webhookUrl' | 'seed'> {
  port: number;
  apiKey?: string;
  seed?: string;
  webhookUrl?: string;
  stateDir?: string;
}

/** A running workspace. `apiKey` is set when it was made up here. */
export interface Workspace {
  simulator: RetellSimulator;
  seed: string;
  apiKey: string | undefined;
  close: () => Promise<void>;
}

/** The port of the last run when the caller leaves it open, so that known URLs go on working. */
function portOf(options: WorkspaceOptions, saved: SavedSettings | undefined): number {
  if (options.port !== 0 || !saved) return options.port;
  return Number(new URL(saved.baseUrl).port);
}

/** The calls to announce: the latest ones, when this receiver has not heard of them yet. */
function unannounced(
  simulator: RetellSimulator,
  options: WorkspaceOptions,
  saved: SavedSettings | undefined,
): string[] {
  if (saved?.announcedTo === options.webhookUrl || options.history === 0) return [];
  return simulator.calls
    .heads()
    .map(({ head }) => head.call_id)
    .slice(-options.history);
}

/** Starts everything; resolves once the API listens. Rejects when the state folder is damaged or not writable. */
export async function startWorkspace(options: WorkspaceOptions): Promise<Workspace> {
  const state = options.stateDir === undefined ? undefined : new StateFolder(options.stateDir, 'retell');
  const saved = state?.settings();
  const apiKey = options.apiKey ?? saved?.apiKey ?? `key_${randomBytes(16).toString('hex')}`;
  const seed = options.seed ?? saved?.seed ?? randomBytes(6).toString('hex');
  const simulator = await startRetellSimulator({ port: portOf(options, saved), apiKey });
  state?.attach(simulator.calls, 'calls', { from: saved?.baseUrl, to: simulator.baseUrl });
  const run = (saved?.run ?? 0) + 1;
  const announcedTo = options.webhookUrl ?? saved?.announcedTo ?? null;
  state?.saveSettings({ apiKey, baseUrl: simulator.baseUrl, seed, run, announcedTo });
  const traffic = startTraffic(simulator, { ...options, seed: `${seed} run ${run}` }, saved);
  const close = async () => {
    await traffic?.stop();
    await simulator.close();
  };
  return { simulator, seed, apiKey: options.apiKey === undefined ? apiKey : undefined, close };
}

/** Without a receiver there is a past to read, and nothing happens. */
function startTraffic(
  simulator: RetellSimulator,
  options: WorkspaceOptions & { seed: string },
  saved: SavedSettings | undefined,
): Traffic | undefined {
  if (options.webhookUrl === undefined) {
    if (simulator.calls.size === 0) addHistory(simulator, options.seed, options.history);
    return undefined;
  }
  const traffic = new Traffic({ ...options, webhookUrl: options.webhookUrl, simulator });
  traffic.start(unannounced(simulator, options, saved));
  return traffic;
}
