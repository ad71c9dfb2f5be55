// A secret key of 32 bytes with its context. The bytes are in a private field, so that nothing prints them.
import sodium from 'sodium-native';

export const KEY_BYTES = 32;

/**
 * A key and its context: text that names its owner (purpose, owner, part, client). The context is part of the additional data of
 * everything sealed under the key, so that nothing opens under a key of another owner.
 */
export class DataKey {
  readonly context: string;
  readonly #bytes: Buffer;
  #wiped = false;

  /** Copies `bytes` (32, else RangeError) into separate memory, not Node's shared buffer pool. */
  constructor(bytes: Uint8Array, context: string) {
    if (bytes.byteLength !== KEY_BYTES) throw new RangeError(`a key has ${KEY_BYTES} bytes`);
    this.#bytes = Buffer.alloc(KEY_BYTES);
    this.#bytes.set(bytes);
    this.context = context;
  }

  static random(context: string): DataKey {
    const key = new DataKey(new Uint8Array(KEY_BYTES), context);
    sodium.randombytes_buf(key.#bytes);
    return key;
  }

  /** Lends the bytes to `use`, which must not keep them. Throws after wipe(): nothing may be sealed with zeros. */
  use<T>(use: (bytes: Buffer) => T): T {
    if (this.#wiped) throw new Error('this key was wiped');
    return use(this.#bytes);
  }

  /**
   * Derives a key for another algorithm (keyed BLAKE2b of the label, one-way), so that no key serves two algorithms.
   */
  subkey(label: string): DataKey {
    const derived = new DataKey(new Uint8Array(KEY_BYTES), this.context);
    const message = Buffer.from(`colloquy subkey 1|${label}`);
    this.use((bytes) => sodium.crypto_generichash(derived.#bytes, message, bytes));
    return derived;
  }

  copy(): DataKey {
    return this.use((bytes) => new DataKey(bytes, this.context));
  }

  /** Overwrites the bytes; the key is useless afterwards. Only its sole owner may call this. */
  wipe(): void {
    this.#wiped = true;
    sodium.sodium_memzero(this.#bytes);
  }

  toJSON(): string {
    return '[data key]';
  }
}
