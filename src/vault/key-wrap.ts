// Data keys wrapped in 39 bytes: five of them fit a conversation's keystore row (decision 0044).
//
// Deterministic authenticated encryption with a synthetic nonce, as in SIV (Rogaway and Shrimpton, "Deterministic
// Authenticated-Encryption"), built from libsodium's primitives. With subkeys of the key-encryption key for hashing and encrypting:
//
//   tag        = first 7 bytes of BLAKE2b-128(hash subkey, 1 | context | key)
//   nonce      = BLAKE2b-192(hash subkey, 2 | context | tag)
//   ciphertext = XChaCha20(encryption subkey, nonce, key)
//   wrapped    = tag (7) | ciphertext (32)
//
// A wrapped key reveals nothing: the tag is a keyed hash of 256 random bits, and the nonce differs for each context, so that one
// key stream never covers two keys of different owners. Two keys of the same owner, of which the keystore stores only one, share
// a nonce with a probability of 2^-56. An attacker who can write to the keystore forges a tag once in 2^56 attempts, each of which
// is a request to one of our processes, and gains a random key that nobody knows and that opens nothing.
import sodium from 'sodium-native';
import { DataKey, KEY_BYTES } from './data-key.js';
import { VaultError } from './errors.js';

const TAG_BYTES = 7;
/** The shortest hash that libsodium offers. */
const HASH_BYTES = 16;
const NONCE_BYTES = 24;
const FOR_TAG = Buffer.of(1);
const FOR_NONCE = Buffer.of(2);

/** Bytes of a wrapped key. */
export const WRAPPED_BYTES = TAG_BYTES + KEY_BYTES;

/** Wraps and unwraps data keys under one key-encryption key. */
export class KeyWrap {
  readonly #hashing: DataKey;
  readonly #encrypting: DataKey;

  private constructor(hashing: DataKey, encrypting: DataKey) {
    this.#hashing = hashing;
    this.#encrypting = encrypting;
  }

  /** Derives its subkeys from `kek`, which still belongs to the caller. */
  static under(kek: DataKey): KeyWrap {
    return new KeyWrap(kek.subkey('wrap: hash'), kek.subkey('wrap: encrypt'));
  }

  /** Wraps `key` for its own context: {@link WRAPPED_BYTES} bytes, the same each time. */
  wrap(key: DataKey): Buffer {
    const context = Buffer.from(key.context);
    const wrapped = Buffer.allocUnsafe(WRAPPED_BYTES);
    key.use((bytes) => {
      this.#tagOf(context, bytes).copy(wrapped);
      this.#xor(wrapped.subarray(TAG_BYTES), bytes, context, wrapped.subarray(0, TAG_BYTES));
    });
    return wrapped;
  }

  /** Unwraps the key that was wrapped for `context`. Throws {@link VaultError} `open_failed`, the same for every reason. */
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

  /** `last` has a fixed length for each purpose, so that no two combinations give the same message. */
  #hash(purpose: Buffer, context: Buffer, last: Uint8Array, length: number): Buffer {
    const hash = Buffer.allocUnsafe(length);
    const message = Buffer.concat([purpose, context, last]);
    this.#hashing.use((key) => sodium.crypto_generichash(hash, message, key));
    message.fill(0);
    return hash;
  }
}

const unwrapFailed = (): VaultError =>
  new VaultError(
    'open_failed',
    'A wrapped key cannot be unwrapped: wrong key-encryption key or owner, or it was altered',
  );
