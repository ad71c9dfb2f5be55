// Starts and stops a simulated Retell workspace with its saved state and its traffic.
import { setFaults } from '../control.js';
import {
  boundOf,
  bulkOf,
  onItsPort,
  openingOf,
  unannounced,
  type CommonOptions,
  type ProviderOptions,
  type Workspace,
} from '../opening.js';
import { startRetellSimulator } from './server.js';
import { RetellTraffic } from './traffic.js';

/** `chats`: share of chats. */
export interface RetellWorkspaceOptions extends ProviderOptions {
  chats: number;
  transcriptUpdates: boolean;
}

/** Starts API and traffic; resolves once the API listens. Rejects when the state folder is damaged or not writable. */
export async function startRetellWorkspace(options: RetellWorkspaceOptions, common: CommonOptions): Promise<Workspace> {
  const opening = openingOf('retell', options, common);
  const { state, saved, settings, runSeed } = opening;
  const { apiKey: ownKey } = settings;
  const simulator = await onItsPort(opening, (port) => startRetellSimulator({ port, apiKey: ownKey, seed: runSeed }));
  for (const faults of common.faults) setFaults(simulator.faults, faults);
  const { baseUrl } = simulator;
  state?.attach(simulator.calls, 'calls', { from: saved?.baseUrl, to: baseUrl });
  state?.attach(simulator.chats.records, 'chats', { from: saved?.baseUrl, to: baseUrl });
  state?.saveSettings({ ...settings, baseUrl });
  const { chats } = options;
  const isNew = simulator.calls.size === 0;
  const traffic =
    options.webhookUrl === undefined
      ? undefined
      : new RetellTraffic({
          ...common,
          ...options,
          webhookUrl: options.webhookUrl,
          seed: runSeed,
          bound: boundOf(common, opening),
          simulator,
        });
  const heads = simulator.calls.heads().map(({ head }) => head.call_id);
  if (traffic) traffic.start(unannounced(heads, opening, options, common.history));
  else if (isNew) simulator.seedHistory({ count: common.history, seed: runSeed, chats });
  simulator.seedHistory({ ...bulkOf(common, opening, simulator.clock()), chats });
  const close = async () => {
    await traffic?.stop();
    await simulator.close();
  };
  const apiKey = options.apiKey === undefined ? settings.apiKey : undefined;
  return { baseUrl, seed: settings.seed, apiKey, close };
}
