// Look-ups of sealed values by equality: a keyed hash of the normalised value stands in the index, never the value.
import sodium from 'sodium-native';
import type { DataKey } from './data-key.js';

/**
 * 16 bytes: under a secret key an outsider cannot search for collisions, and by chance two of 10 billion values of one
 * client meet with a probability of 10^-19; half the index of 32 bytes.
 */
export const BLIND_INDEX_BYTES = 16;

export type BlindIndexKind =
  | 'phone'
  | 'phone_last4'
  | 'email'
  | 'user_id'
  | 'provider_id'
  | 'fact'
  | 'correlation'
  | 'metadata'
  | 'tag'
  | 'transfer_target';

/** Hashes the values of one client, or the provider's ids of one provider account. */
export class BlindIndexHasher {
  readonly #key: DataKey;

  /** Takes the key over; nobody else may wipe it. */
  constructor(key: DataKey) {
    this.#key = key;
  }

  /**
   * {@link BLIND_INDEX_BYTES} bytes of keyed BLAKE2b over kind and value. Pass values normalised (normalise.ts); a pair
   * such as metadata is `hash('metadata', name, value)`. As JSON, so that no other kind or split gives the same hash.
   */
  hash(kind: BlindIndexKind, ...value: [string, ...string[]]): Buffer {
    const hash = Buffer.allocUnsafe(BLIND_INDEX_BYTES);
    const message = Buffer.from(JSON.stringify([kind, ...value]));
    this.#key.use((key) => sodium.crypto_generichash(hash, message, key));
    return hash;
  }
}
