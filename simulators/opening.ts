// What every simulated workspace does at its start: take up the settings of the last run, or make new ones.
import { randomBytes } from 'node:crypto';
import { QUIET_PER_MINUTE, type Bound } from './bound.js';
import type { TrafficOptions } from './pace.js';
import { StateFolder, type SavedSettings } from './state.js';

/** What the command line decides about one provider. What is absent is that of the state folder, else new. */
export interface ProviderOptions {
  port: number;
  apiKey?: string;
  /** Absent: nothing happens, the API only serves. */
  webhookUrl?: string;
}

/** What it decides about all of them. */
export interface CommonOptions extends Omit<TrafficOptions, 'webhookUrl' | 'seed' | 'bound'> {
  seed?: string;
  stateDir?: string;
  /** So many finished conversations of the last `bulkDays` days at the first start, not announced. */
  bulk: number;
  bulkDays: number;
  /** Bytes of recordings of each provider after which traffic goes on with few chats alone; undefined: never. */
  maxRecordings?: number;
  /** So many chats a minute then; default one in ten minutes. */
  quietPerMinute?: number;
  /** Faults in the form of the control endpoint, merged in this order. */
  faults: unknown[];
}

/** A running workspace. `apiKey` and `webhookSecret` are set when they were made up here. */
export interface Workspace {
  baseUrl: string;
  seed: string;
  apiKey: string | undefined;
  webhookSecret?: string;
  close: () => Promise<void>;
}

/** The settings of this run. */
export interface Opening {
  state: StateFolder | undefined;
  saved: SavedSettings | undefined;
  settings: Omit<SavedSettings, 'baseUrl'>;
  /** That of the last run when the caller leaves it open, so that known URLs go on working. */
  port: number;
  /** Whether the port is only remembered: another one will do. */
  mayMove: boolean;
  /** The seed of what happens in this run. */
  runSeed: string;
}

const hex = (bytes: number): string => randomBytes(bytes).toString('hex');

/** Reads the state folder. Throws when it is damaged or not writable. */
export function openingOf(provider: string, options: ProviderOptions, common: CommonOptions): Opening {
  const state = common.stateDir === undefined ? undefined : new StateFolder(common.stateDir, provider);
  const saved = state?.settings();
  const seed = common.seed ?? saved?.seed ?? hex(6);
  const run = (saved?.run ?? 0) + 1;
  const settings = {
    apiKey: options.apiKey ?? saved?.apiKey ?? `key_${hex(16)}`,
    seed,
    run,
    announcedTo: options.webhookUrl ?? saved?.announcedTo ?? null,
    announcedSinceMs: announcedSince(saved, options.webhookUrl),
    webhookSecret: saved?.webhookSecret,
  };
  const port = options.port !== 0 || !saved ? options.port : Number(new URL(saved.baseUrl).port);
  return { state, saved, settings, port, mayMove: options.port === 0, runSeed: `${seed} run ${run}` };
}

/** Since when the receiver has been told, in epoch milliseconds: from the beginning, unless it has taken the place of another. */
function announcedSince(saved: SavedSettings | undefined, webhookUrl: string | undefined): number {
  const isOther = webhookUrl !== undefined && (saved?.announcedTo ?? webhookUrl) !== webhookUrl;
  return isOther ? Date.now() : (saved?.announcedSinceMs ?? 0);
}

/** The bound of this run's traffic. */
export function boundOf({ maxRecordings, quietPerMinute }: CommonOptions, { settings }: Opening): Bound | undefined {
  if (maxRecordings === undefined) return undefined;
  return {
    recordingBytes: maxRecordings,
    quietPerMinute: quietPerMinute ?? QUIET_PER_MINUTE,
    sinceMs: settings.announcedSinceMs ?? 0,
  };
}

/** Starts on the port of this run; on a free one, when it was only remembered and somebody has taken it. */
export async function onItsPort<Started>(
  { port, mayMove }: Opening,
  start: (port: number) => Promise<Started>,
): Promise<Started> {
  try {
    return await start(port);
  } catch (error) {
    if (!mayMove || !(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
    return start(0);
  }
}

/** The latest records, when this receiver has not heard of them yet. */
export function unannounced(ids: readonly string[], opening: Opening, options: ProviderOptions, history: number) {
  const isKnown = opening.saved?.announcedTo === options.webhookUrl;
  return isKnown || history === 0 ? [] : ids.slice(-history);
}

/** The bulk of a new workspace, as options of `seedHistory`; nothing at a later start. */
export function bulkOf(common: CommonOptions, opening: Opening, nowMs: number) {
  const count = opening.saved === undefined ? common.bulk : 0;
  return { count, from: nowMs - common.bulkDays * 86_400_000, seed: `${opening.settings.seed} bulk` };
}
