// Look-ups of sealed values by equality: the index holds a keyed hash of the normalised value, never the value itself.
import sodium from 'sodium-native';
import type { DataKey } from './data-key.js';

/**
 * 16 bytes, half the index size of 32: without the secret key nobody can search for collisions, and the chance that any two of
 * 10 billion values of one client collide is 10^-19.
 */
export const BLIND_INDEX_BYTES = 16;

export type BlindIndexKind =
  | 'phone'
  | 'phone_last4'
  | 'email'
  | 'user_id'
  | 'provider_id'
  | 'suppression'
  | 'fact'
  | 'correlation'
  | 'metadata'
  | 'tag'
  | 'transfer_target';

/** Hashes the values of one client, the provider's ids of one provider account, or those of all accounts. */
export class BlindIndexHasher {
  readonly #key: DataKey;

  /** Takes ownership of the key: nobody else may wipe it. */
  constructor(key: DataKey) {
    this.#key = key;
  }

  /**
   * {@link BLIND_INDEX_BYTES} bytes of keyed BLAKE2b over kind and value, encoded as JSON so that no other kind or split gives
   * the same hash. Pass normalised values (normalise.ts); a pair such as metadata is `hash('metadata', name, value)`.
   */
  hash(kind: BlindIndexKind, ...value: [string, ...string[]]): Buffer {
    const hash = Buffer.allocUnsafe(BLIND_INDEX_BYTES);
    const message = Buffer.from(JSON.stringify([kind, ...value]));
    this.#key.use((key) => sodium.crypto_generichash(hash, message, key));
    return hash;
  }
}
