// The start of every simulated workspace: load the settings of the last run, or create new ones.
import { randomBytes } from 'node:crypto';
import { QUIET_PER_MINUTE, type Bound } from './bound.js';
import type { TrafficOptions } from './pace.js';
import { StateFolder, type SavedSettings } from './state.js';

/** Command-line options of one provider. Missing ones come from the state folder, or are generated. */
export interface ProviderOptions {
  port: number;
  apiKey?: string;
  /** Undefined: no traffic, the API only serves existing records. */
  webhookUrl?: string;
}

/** Command-line options of all providers. */
export interface CommonOptions extends Omit<TrafficOptions, 'webhookUrl' | 'seed' | 'bound'> {
  seed?: string;
  stateDir?: string;
  /** How many finished conversations of the last `bulkDays` days the first start adds, without webhooks. */
  bulk: number;
  bulkDays: number;
  /** Bytes of recordings per provider after which traffic only generates a few chats; undefined: no limit. */
  maxRecordings?: number;
  /** Chats per minute beyond that limit; default: one every ten minutes. */
  quietPerMinute?: number;
  /** Faults in the format of the control endpoint, merged in this order. */
  faults: unknown[];
}

/** A running workspace. `apiKey` and `webhookSecret` are set when they were generated here. */
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
  /** By default that of the last run, so that known URLs keep working. */
  port: number;
  /** Whether the port only comes from the last run: another one is acceptable. */
  mayMove: boolean;
  /** The seed of this run's traffic. */
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

/** Since when the receiver gets webhooks, in epoch milliseconds: 0, unless it replaced another one. */
function announcedSince(saved: SavedSettings | undefined, webhookUrl: string | undefined): number {
  const isOther = webhookUrl !== undefined && (saved?.announcedTo ?? webhookUrl) !== webhookUrl;
  return isOther ? Date.now() : (saved?.announcedSinceMs ?? 0);
}

/** The limit of this run's traffic. */
export function boundOf({ maxRecordings, quietPerMinute }: CommonOptions, { settings }: Opening): Bound | undefined {
  if (maxRecordings === undefined) return undefined;
  return {
    recordingBytes: maxRecordings,
    quietPerMinute: quietPerMinute ?? QUIET_PER_MINUTE,
    sinceMs: settings.announcedSinceMs ?? 0,
  };
}

/** Starts on the port of this run, or on a free one when the port only comes from the last run and is taken. */
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

/** The latest records, if this receiver has not got their webhooks yet. */
export function unannounced(ids: readonly string[], opening: Opening, options: ProviderOptions, history: number) {
  const isKnown = opening.saved?.announcedTo === options.webhookUrl;
  return isKnown || history === 0 ? [] : ids.slice(-history);
}

/** The bulk history of a new workspace, as options of `seedHistory`; none at a later start. */
export function bulkOf(common: CommonOptions, opening: Opening, nowMs: number) {
  const count = opening.saved === undefined ? common.bulk : 0;
  return { count, from: nowMs - common.bulkDays * 86_400_000, seed: `${opening.settings.seed} bulk` };
}
