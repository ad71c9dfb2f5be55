// Which loop of intake applies a fact: what is slow for its own reasons must not delay what is not. Pure.
import { providerNamed } from '../providers/providers.js';

/** `audio`: holds a recording, which must be stored first. `large`: opened one at a time. `plain`: everything else. */
export type Lane = 'plain' | 'large' | 'audio';

/** Lanes whose facts need nothing but Postgres. */
export const WITHOUT_STORE: Lane[] = ['plain', 'large'];

/** Sealed bytes; a transcript of two hours has less. */
const LARGE = 256 * 1024;

export function laneOf({ provider, kind, bytes }: { provider: string; kind: string; bytes: number }): Lane {
  if (providerNamed(provider).audioEvents?.includes(kind)) return 'audio';
  return bytes > LARGE ? 'large' : 'plain';
}
