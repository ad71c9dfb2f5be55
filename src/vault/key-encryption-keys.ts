// Key-encryption keys, one per client and epoch, as this process needs them: to wrap new data keys and to unwrap stored ones.
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

  /** The one that new keys of a client are wrapped by, made if there is none. Throws {@link KeyDestroyed}. */
  async current(clientId: string): Promise<{ id: KekId; wrap: KeyWrap }> {
    const id = { clientId, epoch: epochOf(this.#now()) };
    return { id, wrap: this.#cache.get(kekContext(id)) ?? (await this.#findOrMake(id)) };
  }

  /** The one that the keys of a row are wrapped by. Throws {@link KeyDestroyed} and VaultError `key_missing`. */
  async of({ clientId, epoch, kek, kekDestroyedAt }: WrappingKek): Promise<KeyWrap> {
    if (kekDestroyedAt !== null) throw new KeyDestroyed(kekDestroyedAt);
    if (clientId === null || epoch === null) {
      throw new VaultError('key_missing', 'The key-encryption key of a data key is missing');
    }
    const id = { clientId, epoch };
    return this.#cache.get(kekContext(id)) ?? (kek === null ? this.#findOrMake(id) : this.#unwrap(id, kek));
  }

  /** Forgets what this process knows of one: it was destroyed by somebody else. */
  forget(id: KekId): void {
    this.#cache.drop(kekContext(id));
  }

  /** Makes `clientId` have one if the keystore has none at all, else tries the root key on one. Throws `open_failed`. */
  async verify(clientId: string): Promise<void> {
    const kek = await this.#keystore.someKek();
    if (kek === undefined) await this.current(clientId);
    else if (kek.wrapped !== null) (await this.#rootKey.unwrap(kek.wrapped, kek)).wipe();
  }

  close(): void {
    this.#cache.close();
  }

  async #findOrMake(id: KekId): Promise<KeyWrap> {
    let row = await this.#keystore.findKek(id);
    if (row === undefined) {
      const fresh = DataKey.random(kekContext(id));
      await this.#keystore.addKek(id, await this.#rootKey.wrap(fresh, id));
      fresh.wipe();
      row = await this.#keystore.findKek(id);
    }
    if (row === undefined) throw new VaultError('key_missing', 'A key-encryption key vanished while it was being made');
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
