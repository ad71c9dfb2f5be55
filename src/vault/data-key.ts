// 32 secret bytes and what they are for. Nothing prints them: the bytes sit in a private field.
import sodium from 'sodium-native';

export const KEY_BYTES = 32;

/**
 * A key and its context: the text that says whose it is (purpose, owner, part, client). The context goes into the
 * additional data of everything sealed under the key, so a blob does not open under a key of another owner.
 */
export class DataKey {
  readonly context: string;
  readonly #bytes: Buffer;
  #wiped = false;

  /** Copies `bytes` (32, else RangeError) into memory of its own, never Node's shared buffer pool. */
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

  /** Lends the bytes to `use`, which must not keep them. Throws once wiped: zeros must never seal anything. */
  use<T>(use: (bytes: Buffer) => T): T {
    if (this.#wiped) throw new Error('this key was wiped');
    return use(this.#bytes);
  }

  /**
   * A key for another algorithm, derived one way (keyed BLAKE2b of the label): the bytes that XChaCha20 uses never
   * serve AES or a hash as well.
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

  /** Overwrites the bytes. The key then opens nothing; only its sole owner may call this. */
  wipe(): void {
    this.#wiped = true;
    sodium.sodium_memzero(this.#bytes);
  }

  toJSON(): string {
    return '[data key]';
  }
}
