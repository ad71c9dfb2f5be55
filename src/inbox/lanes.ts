// Lanes of the inbox: which loop of intake applies a fact, so that slow facts do not delay the others. Pure.
import { providerNamed } from '../providers/providers.js';

/** `audio`: contains a recording, which must be stored first. `large`: applied one at a time. `plain`: all others. */
export type Lane = 'plain' | 'large' | 'audio';

/** Lanes whose facts need only PostgreSQL, not the object store. */
export const LANES_WITHOUT_AUDIO: Lane[] = ['plain', 'large'];

/** Sealed bytes; the transcript of a two-hour call is smaller. */
const LARGE = 256 * 1024;

export function laneOf({ provider, kind, bytes }: { provider: string; kind: string; bytes: number }): Lane {
  if (providerNamed(provider).audioEvents?.includes(kind)) return 'audio';
  return bytes > LARGE ? 'large' : 'plain';
}
