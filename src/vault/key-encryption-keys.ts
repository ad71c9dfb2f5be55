// Finds, creates and caches key-encryption keys, one per client and epoch, which wrap the data keys.
import { DataKey } from './data-key.js';
import { KeyDestroyed, VaultError } from './errors.js';
import { epochOf } from './kek-epoch.js';
import { KeyCache } from './key-cache.js';
import { KeyWrap } from './key-wrap.js';
import type { Keystore, WrappingKek } from './keystore/keystore.js';
import { type KekId, kekContext, type RootKey } from './root-key.js';

export class KeyEncryptionKeys {
  readonly #keystore: Keystore;
  readonly #rootKey: RootKey;
  readonly #now: () => Date;
  readonly #cache = new KeyCache<KeyWrap>();

  constructor(keystore: Keystore, rootKey: RootKey, now: () => Date) {
    this.#keystore = keystore;
    this.#rootKey = rootKey;
    this.#now = now;
  }

  /** The key that wraps new keys of a client, created if there is none. Throws {@link KeyDestroyed}. */
  async current(clientId: string): Promise<{ id: KekId; wrap: KeyWrap }> {
    const id = { clientId, epoch: epochOf(this.#now()) };
    return { id, wrap: this.#cache.get(kekContext(id)) ?? (await this.#findOrCreate(id)) };
  }

  /** The key that wrapped the keys of a row. Throws {@link KeyDestroyed} and VaultError `key_missing`. */
  async of({ clientId, epoch, kek, kekDestroyedAt }: WrappingKek): Promise<KeyWrap> {
    if (kekDestroyedAt !== null) throw new KeyDestroyed(kekDestroyedAt);
    if (clientId === null || epoch === null) {
      throw new VaultError('key_missing', 'The key-encryption key of a data key is missing');
    }
    const id = { clientId, epoch };
    return this.#cache.get(kekContext(id)) ?? (kek === null ? this.#findOrCreate(id) : this.#unwrap(id, kek));
  }

  /** Removes a key from the cache, because another process destroyed it. */
  forget(id: KekId): void {
    this.#cache.drop(kekContext(id));
  }

  /** Checks the root key on any stored key; if the keystore is empty, creates one for `clientId`. Throws `open_failed`. */
  async verify(clientId: string): Promise<void> {
    const kek = await this.#keystore.anyKek();
    if (kek === undefined) await this.current(clientId);
    else if (kek.wrapped !== null) (await this.#rootKey.unwrap(kek.wrapped, kek)).wipe();
  }

  close(): void {
    this.#cache.close();
  }

  async #findOrCreate(id: KekId): Promise<KeyWrap> {
    let row = await this.#keystore.findKek(id);
    if (row === undefined) {
      const fresh = DataKey.random(kekContext(id));
      await this.#keystore.addKek(id, await this.#rootKey.wrap(fresh, id));
      fresh.wipe();
      row = await this.#keystore.findKek(id);
    }
    if (row === undefined)
      throw new VaultError('key_missing', 'A key-encryption key disappeared while it was being created');
    if (row.wrapped === null) throw new KeyDestroyed(row.destroyedAt);
    return this.#unwrap(id, row.wrapped);
  }

  async #unwrap(id: KekId, wrapped: Buffer): Promise<KeyWrap> {
    const ticket = this.#cache.ticket();
    const kek = await this.#rootKey.unwrap(wrapped, id);
    const wrap = KeyWrap.under(kek);
    kek.wipe();
    this.#cache.put(kekContext(id), wrap, ticket);
    return wrap;
  }
}
