// Who needs a key asks here. A key is made on first use and committed to the keystore before anyone gets it.
import type { Pool } from 'pg';
import { Batcher } from '../common/batcher.js';
import { BlindIndexHasher } from './blind-index-hasher.js';
import { DataKey } from './data-key.js';
import { VaultError, KeyDestroyed } from './errors.js';
import { epochOf } from './kek-epoch.js';
import { KeyCache } from './key-cache.js';
import { KeySweep, type AbandonedAmong } from './keystore/key-sweep.js';
import { type DataKeyRow, type KeyId, Keystore } from './keystore/keystore.js';
import { type KekId, kekContext, type RootKey } from './root-key.js';
import { open, seal } from './sealing/sealing.js';

/** Owner of what belongs to no client. */
export const SYSTEM_CLIENT = '00000000-0000-0000-0000-000000000000';

/** A provider account and the client it is registered for. */
export interface AccountOwner {
  providerAccountId: string;
  clientId: string;
}

interface VaultDependencies {
  /** Of the keystore's database; ended by `close()`. */
  pool: Pool;
  rootKey: RootKey;
  /** Decides the epoch of new keys. */
  now?: () => Date;
}

const cacheName = (id: KeyId): string => `${id.purpose}|${id.owner}|${id.part}`;
const contextOf = (id: KeyId, clientId: string): string => JSON.stringify([id.purpose, id.owner, id.part, clientId]);
/** With the context of the key-encryption key (client, epoch) this is the whole binding of a wrapped data key. */
const wrapPurpose = (id: KeyId): string => JSON.stringify(['data key', id.purpose, id.owner, id.part]);
const conversation = (owner: string): KeyId => ({ purpose: 'conversation', owner, part: '' });

function inbox(owner: string, day: string): KeyId {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) throw new RangeError('a day is YYYY-MM-DD');
  return { purpose: 'inbox', owner, part: day };
}

/**
 * All ids are uuids in lower case. Keys that come back belong to the caller. Everything here throws AppError
 * `keystore_unavailable` when the keystore is away, {@link KeyDestroyed} for a key that is gone for good and
 * {@link VaultError} `open_failed` when a stored key was altered or the root key is another one.
 * Other processes may serve a destroyed key from memory for 60 s more: check the identity row on every request.
 */
export class VaultService {
  readonly #keystore: Keystore;
  readonly #rootKey: RootKey;
  readonly #now: () => Date;
  /** Look-ups of conversations' keys that are asked for at the same time share one query. */
  readonly #conversationKeys: Batcher<string, DataKeyRow | undefined>;
  readonly #dataKeys = new KeyCache();
  readonly #keks = new KeyCache();
  readonly #sweep: KeySweep;

  constructor({ pool, rootKey, now = () => new Date() }: VaultDependencies) {
    this.#keystore = new Keystore(pool);
    this.#sweep = new KeySweep(this.#keystore);
    this.#rootKey = rootKey;
    this.#now = now;
    this.#conversationKeys = new Batcher((ids) => this.#findConversationKeys(ids), { maxItems: 64, concurrency: 1 });
  }

  /** The conversation's key, made if there is none. `wrong_owner` when it is another client's. */
  async conversationKey({ conversationId, clientId }: { conversationId: string; clientId: string }): Promise<DataKey> {
    const id = conversation(conversationId);
    const key = await this.#insertOrRead(id, clientId);
    if (key.context !== contextOf(id, clientId)) {
      throw new VaultError('wrong_owner', 'The key of this conversation belongs to another client');
    }
    return key;
  }

  /** The conversation's key; `key_missing` when it never had one. */
  async existingConversationKey(conversationId: string): Promise<DataKey> {
    const key = await this.#read(conversation(conversationId));
    if (key === undefined) throw new VaultError('key_missing', 'This conversation has no key');
    return key;
  }

  /** Keys of many conversations with one query at most; missing and destroyed ones are left out of the map. */
  async existingConversationKeys(conversationIds: readonly string[]): Promise<Map<string, DataKey>> {
    const ticket = this.#dataKeys.ticket();
    const keys = new Map<string, DataKey>();
    for (const id of conversationIds) {
      const cached = this.#dataKeys.get(cacheName(conversation(id)));
      if (cached !== undefined) keys.set(id, cached);
    }
    const wanted = conversationIds.filter((id) => !keys.has(id));
    if (wanted.length === 0) return keys;
    for (const row of await this.#keystore.findDataKeys('conversation', wanted)) {
      const isLive = row.wrapped !== null && row.kekDestroyedAt === null && (await this.#isKept(row));
      if (isLive) keys.set(row.owner, await this.#unwrap(row, ticket));
    }
    return keys;
  }

  /** Seals free text of officers and operators, and names. */
  clientKey(clientId: string): Promise<DataKey> {
    return this.#insertOrRead({ purpose: 'client', owner: clientId, part: '' }, clientId);
  }

  /** Seals payloads received on `day` (YYYY-MM-DD, UTC). */
  inboxKey({ providerAccountId, clientId, day }: AccountOwner & { day: string }): Promise<DataKey> {
    return this.#insertOrRead(inbox(providerAccountId, day), clientId);
  }

  /** Hashes the provider's own ids; the key never rotates, because the hashes outlive what they identify. */
  async identityHasher({ providerAccountId, clientId }: AccountOwner): Promise<BlindIndexHasher> {
    return new BlindIndexHasher(
      await this.#insertOrRead({ purpose: 'identity', owner: providerAccountId, part: '' }, clientId),
    );
  }

  /** Hashes what a client's conversations are looked up by; the key never rotates. */
  async indexHasher(clientId: string): Promise<BlindIndexHasher> {
    return new BlindIndexHasher(await this.#insertOrRead({ purpose: 'index', owner: clientId, part: '' }, clientId));
  }

  /** Destroys the key for good, or sees to it that none is ever made. Returns when it was (first) destroyed. */
  destroyConversationKey(conversationId: string): Promise<Date> {
    return this.#destroy(conversation(conversationId));
  }

  /** As {@link destroyConversationKey}, for the payloads of one account and day. */
  destroyInboxKey(providerAccountId: string, day: string): Promise<Date> {
    return this.#destroy(inbox(providerAccountId, day));
  }

  /** Accounts and days before `day` whose inbox key still lives, oldest first. */
  async inboxKeyDays(before: string): Promise<{ providerAccountId: string; day: string }[]> {
    const keys = await this.#keystore.inboxKeysBefore(before);
    return keys.map(({ owner, part }) => ({ providerAccountId: owner, day: part }));
  }

  /** Marks day-old keys of conversations that do not exist, and deletes those marked earlier; see key-sweep.ts. */
  sweepConversationKeys(abandonedAmong: AbandonedAmong): Promise<{ marked: number; removed: number }> {
    return this.#sweep.run(abandonedAmong);
  }

  ping(): Promise<void> {
    return this.#keystore.ping();
  }

  /**
   * Makes sure that the root key is the one of this keystore; in an empty keystore it becomes that, by wrapping the
   * first key. Throws {@link VaultError} `root_key` otherwise. Call at start.
   */
  async verifyRootKey(): Promise<void> {
    try {
      const kek = await this.#keystore.someKek();
      if (kek === undefined) await this.#kek(this.#currentKek(SYSTEM_CLIENT));
      else if (kek.wrapped !== null) (await this.#rootKey.unwrap(kek.wrapped, kek)).wipe();
    } catch (cause) {
      if (!(cause instanceof VaultError && cause.reason === 'open_failed')) throw cause;
      const detail = `${this.#rootKey.name} does not open this keystore: its keys were wrapped by another root key`;
      throw new VaultError('root_key', detail, cause);
    }
  }

  /** Wipes all keys and ends the pool. */
  async close(): Promise<void> {
    this.#dataKeys.close();
    this.#keks.close();
    this.#rootKey.close();
    await this.#keystore.close();
  }

  #currentKek(clientId: string): KekId {
    return { clientId, epoch: epochOf(this.#now()) };
  }

  async #read(id: KeyId): Promise<DataKey | undefined> {
    const cached = this.#dataKeys.get(cacheName(id));
    if (cached !== undefined) return cached;
    const ticket = this.#dataKeys.ticket();
    const row = await (id.purpose === 'conversation'
      ? this.#conversationKeys.add(id.owner)
      : this.#keystore.findDataKey(id));
    return row !== undefined && (await this.#isKept(row)) ? this.#unwrap(row, ticket) : undefined;
  }

  /** Asking for a marked key keeps it; false if it was deleted a moment ago. */
  async #isKept({ isMarked, owner }: DataKeyRow): Promise<boolean> {
    return !isMarked || (await this.#keystore.unmark([owner])) === 1;
  }

  async #findConversationKeys(ids: string[]): Promise<(DataKeyRow | undefined)[]> {
    const rows = await this.#keystore.findDataKeys('conversation', [...new Set(ids)]);
    const byOwner = new Map(rows.map((row) => [row.owner, row]));
    return ids.map((id) => byOwner.get(id));
  }

  /** Concurrent callers, of other processes too, get the same key: the first insert wins and the others read it. */
  async #insertOrRead(id: KeyId, clientId: string): Promise<DataKey> {
    const found = await this.#read(id);
    if (found !== undefined) return found;
    const ticket = this.#dataKeys.ticket();
    const kekId = this.#currentKek(clientId);
    const kek = await this.#kek(kekId);
    const key = DataKey.random(contextOf(id, clientId));
    const wrapped = key.use((bytes) => seal(kek, wrapPurpose(id), bytes));
    if (await this.#keystore.addDataKey(id, kekId, wrapped)) {
      this.#dataKeys.put(cacheName(id), key, ticket);
      return key;
    }
    const theirs = await this.#read(id);
    if (theirs !== undefined) return theirs;
    this.#keks.drop(kekContext(kekId));
    throw new VaultError('key_missing', 'No key could be made: its key-encryption key was destroyed meanwhile');
  }

  async #unwrap(row: DataKeyRow, ticket: number): Promise<DataKey> {
    if (row.wrapped === null) throw new KeyDestroyed(row.destroyedAt);
    if (row.kekDestroyedAt !== null) throw new KeyDestroyed(row.kekDestroyedAt);
    if (row.kek === null) throw new VaultError('key_missing', 'The key-encryption key of a data key is missing');
    const kek = this.#keks.get(kekContext(row)) ?? (await this.#unwrapKek(row, row.kek));
    const bytes = open(kek, wrapPurpose(row), row.wrapped);
    const key = new DataKey(bytes, contextOf(row, row.clientId));
    bytes.fill(0);
    this.#dataKeys.put(cacheName(row), key, ticket);
    return key;
  }

  /** The key-encryption key of a client and epoch, made if there is none. */
  async #kek(id: KekId): Promise<DataKey> {
    const cached = this.#keks.get(kekContext(id));
    if (cached !== undefined) return cached;
    let row = await this.#keystore.findKek(id);
    if (row === undefined) {
      const fresh = DataKey.random(kekContext(id));
      await this.#keystore.addKek(id, await this.#rootKey.wrap(fresh, id));
      fresh.wipe();
      row = await this.#keystore.findKek(id);
    }
    if (row === undefined) throw new VaultError('key_missing', 'A key-encryption key vanished while it was being made');
    if (row.wrapped === null) throw new KeyDestroyed(row.destroyedAt);
    return this.#unwrapKek(id, row.wrapped);
  }

  async #unwrapKek(id: KekId, wrapped: Buffer): Promise<DataKey> {
    const ticket = this.#keks.ticket();
    const kek = await this.#rootKey.unwrap(wrapped, { clientId: id.clientId, epoch: id.epoch });
    this.#keks.put(kekContext(id), kek, ticket);
    return kek;
  }

  async #destroy(id: KeyId): Promise<Date> {
    const destroyedAt = await this.#keystore.destroyDataKey(id, this.#currentKek(SYSTEM_CLIENT));
    this.#dataKeys.drop(cacheName(id));
    return destroyedAt;
  }
}
