import { startElevenLabs } from './elevenlabs.js';
import type { BatteryProvider } from './provider.js';
import { startRetell } from './retell.js';

/** All simulated providers, listening. */
export const startProviders = (): Promise<BatteryProvider[]> => Promise.all([startRetell(), startElevenLabs()]);
