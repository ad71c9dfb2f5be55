// Starts and stops a simulated ElevenLabs workspace with its saved state and its traffic.
import { randomBytes } from 'node:crypto';
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
import { startElevenLabsSimulator } from './server.js';
import { ElevenLabsTraffic } from './traffic.js';

/** `retries`: whether failed webhooks are retried; off by default, as at ElevenLabs. */
export interface ElevenLabsWorkspaceOptions extends ProviderOptions {
  webhookSecret?: string;
  retries: boolean;
}

/** Starts API and traffic; resolves once the API listens. Rejects when the state folder is damaged or not writable. */
export async function startElevenLabsWorkspace(
  options: ElevenLabsWorkspaceOptions,
  common: CommonOptions,
): Promise<Workspace> {
  const opening = openingOf('elevenlabs', options, common);
  const { state, saved, settings, runSeed } = opening;
  const { apiKey } = settings;
  const webhookSecret = options.webhookSecret ?? settings.webhookSecret ?? `wsec_${randomBytes(16).toString('hex')}`;
  const webhooks = { retries: options.retries };
  const simulator = await onItsPort(opening, (port) =>
    startElevenLabsSimulator({ port, apiKey, webhookSecret, webhooks, seed: runSeed }),
  );
  for (const faults of common.faults) setFaults(simulator.faults, faults);
  const { baseUrl } = simulator;
  state?.attach(simulator.conversations, 'conversations', { from: saved?.baseUrl, to: baseUrl });
  state?.saveSettings({ ...settings, webhookSecret, baseUrl });
  const isNew = simulator.conversations.size === 0;
  const traffic =
    options.webhookUrl === undefined
      ? undefined
      : new ElevenLabsTraffic({
          ...common,
          webhookUrl: options.webhookUrl,
          seed: runSeed,
          bound: boundOf(common, opening),
          simulator,
        });
  const heads = simulator.conversations.heads().map(({ head }) => head.conversation_id);
  if (traffic) traffic.start(unannounced(heads, opening, options, common.history));
  else if (isNew) simulator.seedHistory({ count: common.history, seed: runSeed });
  simulator.seedHistory(bulkOf(common, opening, simulator.clock()));
  const close = async () => {
    await traffic?.stop();
    await simulator.close();
  };
  return {
    baseUrl,
    seed: settings.seed,
    apiKey: options.apiKey === undefined ? apiKey : undefined,
    ...(options.webhookSecret === undefined ? { webhookSecret } : {}),
    close,
  };
}
