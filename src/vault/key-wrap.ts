// Data keys wrapped in 39 bytes: five of them fit a conversation's keystore row (decision 0044).
//
// Deterministic authenticated encryption with a synthetic nonce, as in SIV (Rogaway and Shrimpton, "Deterministic
// Authenticated-Encryption"), of libsodium's primitives. Under subkeys of the key-encryption key for hashing and encrypting:
//
//   tag        = first 7 bytes of BLAKE2b-128(hash subkey, 1 | context | key)
//   nonce      = BLAKE2b-192(hash subkey, 2 | context | tag)
//   ciphertext = XChaCha20(encryption subkey, nonce, key)
//   wrapped    = tag (7) | ciphertext (32)
//
// A wrapped key reveals nothing: the tag is a keyed hash of 256 random bits, and the nonce is another for each context, so
// that one key stream never covers two keys of different owners. Two keys of the same owner, of which the keystore keeps one
// alone, share a nonce with a probability of 2^-56. Whoever may write to the keystore passes the tag once in 2^56 attempts,
// each of which is a request to a process of ours, and gains a random key that nobody knows and that opens nothing.
import sodium from 'sodium-native';
import { DataKey, KEY_BYTES } from './data-key.js';
import { VaultError } from './errors.js';

const TAG_BYTES = 7;
/** The shortest that libsodium gives. */
const HASH_BYTES = 16;
const NONCE_BYTES = 24;
const FOR_TAG = Buffer.of(1);
const FOR_NONCE = Buffer.of(2);

/** Bytes of a wrapped key. */
export const WRAPPED_BYTES = TAG_BYTES + KEY_BYTES;

/** A key-encryption key, ready to wrap and unwrap. */
export class KeyWrap {
  readonly #hashing: DataKey;
  readonly #encrypting: DataKey;

  private constructor(hashing: DataKey, encrypting: DataKey) {
    this.#hashing = hashing;
    this.#encrypting = encrypting;
  }

  /** Derives what it needs of `kek`, which stays the caller's. */
  static under(kek: DataKey): KeyWrap {
    return new KeyWrap(kek.subkey('wrap: hash'), kek.subkey('wrap: encrypt'));
  }

  /** `key` wrapped for its own context: {@link WRAPPED_BYTES} bytes, the same each time. */
  wrap(key: DataKey): Buffer {
    const context = Buffer.from(key.context);
    const wrapped = Buffer.allocUnsafe(WRAPPED_BYTES);
    key.use((bytes) => {
      this.#tagOf(context, bytes).copy(wrapped);
      this.#xor(wrapped.subarray(TAG_BYTES), bytes, context, wrapped.subarray(0, TAG_BYTES));
    });
    return wrapped;
  }

  /** The key that was wrapped for `context`. Throws {@link VaultError} `open_failed`, whatever did not fit. */
  unwrap(wrapped: Uint8Array, context: string): DataKey {
    if (wrapped.byteLength !== WRAPPED_BYTES) throw unwrapFailed();
    const bound = Buffer.from(context);
    const tag = Buffer.from(wrapped.subarray(0, TAG_BYTES));
    const bytes = Buffer.alloc(KEY_BYTES);
    try {
      this.#xor(bytes, wrapped.subarray(TAG_BYTES), bound, tag);
      if (!sodium.sodium_memcmp(this.#tagOf(bound, bytes), tag)) throw unwrapFailed();
      return new DataKey(bytes, context);
    } finally {
      sodium.sodium_memzero(bytes);
    }
  }

  copy(): KeyWrap {
    return new KeyWrap(this.#hashing.copy(), this.#encrypting.copy());
  }

  wipe(): void {
    this.#hashing.wipe();
    this.#encrypting.wipe();
  }

  #tagOf(context: Buffer, key: Buffer): Buffer {
    return this.#hash(FOR_TAG, context, key, HASH_BYTES).subarray(0, TAG_BYTES);
  }

  #xor(output: Uint8Array, input: Uint8Array, context: Buffer, tag: Uint8Array): void {
    const nonce = this.#hash(FOR_NONCE, context, tag, NONCE_BYTES);
    this.#encrypting.use((key) => sodium.crypto_stream_xchacha20_xor(output, input, nonce, key));
  }

  /** The last part has one length for each purpose, so that no other context and part read the same when joined. */
  #hash(purpose: Buffer, context: Buffer, last: Uint8Array, length: number): Buffer {
    const hash = Buffer.allocUnsafe(length);
    const message = Buffer.concat([purpose, context, last]);
    this.#hashing.use((key) => sodium.crypto_generichash(hash, message, key));
    message.fill(0);
    return hash;
  }
}

const unwrapFailed = (): VaultError =>
  new VaultError('open_failed', 'A wrapped key does not open: another key-encryption key or owner, or it was altered');
