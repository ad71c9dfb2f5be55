// The source of all data keys. A key is created on first use and committed to the keystore before anyone receives it.
import type { Pool } from 'pg';
import { BlindIndexHasher } from './blind-index-hasher.js';
import { ConversationKeyring, type ConversationOwner } from './conversation-keyring.js';
import type { ConversationKeys, KeyClass } from './conversation-keys.js';
import { DataKey } from './data-key.js';
import { VaultError, KeyDestroyed } from './errors.js';
import { KeyCache } from './key-cache.js';
import { KeyEncryptionKeys } from './key-encryption-keys.js';
import { ConversationKeyTable } from './keystore/conversation-key-table.js';
import { KeySweep, type AbandonedAmong } from './keystore/key-sweep.js';
import { type KeyId, Keystore } from './keystore/keystore.js';
import type { RootKey } from './root-key.js';

/** Owner of data that belongs to no client. */
export const SYSTEM_CLIENT = '00000000-0000-0000-0000-000000000000';

/** A provider account and the client it is registered for. */
export interface AccountOwner {
  providerAccountId: string;
  clientId: string;
}

interface VaultDependencies {
  /** Pool of the keystore's database; ended by `close()`. */
  pool: Pool;
  rootKey: RootKey;
  /** Decides the epoch of new keys. */
  now?: () => Date;
}

const cacheName = (id: KeyId): string => `${id.purpose}|${id.owner}|${id.part}`;
/** Binds a wrapped data key, and everything sealed with it, to its owner. */
const contextOf = (id: KeyId, clientId: string): string => JSON.stringify([id.purpose, id.owner, id.part, clientId]);

function inbox(owner: string, day: string): KeyId {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) throw new RangeError('a day is YYYY-MM-DD');
  return { purpose: 'inbox', owner, part: day };
}

/**
 * All ids are lower-case uuids. Returned keys belong to the caller. Every method throws AppError `keystore_unavailable` if the
 * keystore cannot be reached, {@link KeyDestroyed} for a destroyed key, and {@link VaultError} `open_failed` if a stored key was
 * altered or wrapped by another root key. Other processes may still serve a destroyed key from memory for 60 s: check the
 * identity row on every request.
 */
export class VaultService {
  readonly #keystore: Keystore;
  readonly #rootKey: RootKey;
  readonly #keks: KeyEncryptionKeys;
  readonly #dataKeys = new KeyCache<DataKey>();
  readonly #conversations: ConversationKeyring;
  readonly #sweep: KeySweep;

  constructor({ pool, rootKey, now = () => new Date() }: VaultDependencies) {
    this.#keystore = new Keystore(pool);
    this.#rootKey = rootKey;
    this.#keks = new KeyEncryptionKeys(this.#keystore, rootKey, now);
    const table = new ConversationKeyTable(this.#keystore);
    this.#conversations = new ConversationKeyring(table, this.#keks);
    this.#sweep = new KeySweep(table);
  }

  /**
   * The conversation's keys of these classes; all five are created together if there are none. Destroyed ones are null. Throws
   * {@link KeyDestroyed} if all are destroyed, `wrong_owner` if they belong to another client.
   */
  conversationKeys(owner: ConversationOwner, classes: readonly KeyClass[]): Promise<ConversationKeys> {
    return this.#conversations.findOrCreate(owner, classes);
  }

  /** Like {@link conversationKeys}, but throws `key_missing` if it never had keys. Concurrent reads share a query. */
  existingConversationKeys(conversationId: string, classes: readonly KeyClass[]): Promise<ConversationKeys> {
    return this.#conversations.existing(conversationId, classes);
  }

  /** Keys of many conversations, with at most one query. Conversations without keys, or with destroyed ones only, are left out. */
  existingKeysOf(
    conversationIds: readonly string[],
    classes: readonly KeyClass[],
  ): Promise<Map<string, ConversationKeys>> {
    return this.#conversations.existingOf(conversationIds, classes);
  }

  /**
   * Destroys the key of one class for good, and with it the key of the conversation's parked facts. Resolves with the time when a
   * key of it was last destroyed. Throws `key_missing` if it never had keys.
   */
  destroyConversationKey(conversationId: string, keyClass: KeyClass): Promise<Date> {
    return this.#conversations.destroy(conversationId, keyClass);
  }

  /** Destroys all keys for good, or prevents that any are ever created. Resolves with the time of the last destruction. */
  destroyConversationKeys(conversationId: string): Promise<Date> {
    return this.#conversations.destroyAll(conversationId);
  }

  /** The client's own key, for names and for free text of officers and operators. */
  clientKey(clientId: string): Promise<DataKey> {
    return this.#insertOrRead({ purpose: 'client', owner: clientId, part: '' }, clientId);
  }

  /** The key for payloads received on `day` (YYYY-MM-DD, UTC). */
  inboxKey({ providerAccountId, clientId, day }: AccountOwner & { day: string }): Promise<DataKey> {
    return this.#insertOrRead(inbox(providerAccountId, day), clientId);
  }

  /** Hasher of the provider's own ids. Its key never rotates, because the hashes outlive the conversations. */
  async identityHasher({ providerAccountId, clientId }: AccountOwner): Promise<BlindIndexHasher> {
    return new BlindIndexHasher(
      await this.#insertOrRead({ purpose: 'identity', owner: providerAccountId, part: '' }, clientId),
    );
  }

  /**
   * Hasher of the provider's own ids of all accounts, whose hashes recognise what was erased in any of them. Its key never rotates:
   * without it, what was erased could be imported again.
   */
  async suppressionHasher(): Promise<BlindIndexHasher> {
    return new BlindIndexHasher(
      await this.#insertOrRead({ purpose: 'suppression', owner: SYSTEM_CLIENT, part: '' }, SYSTEM_CLIENT),
    );
  }

  /** Hasher of the values that a client's conversations are looked up by. Its key never rotates. */
  async indexHasher(clientId: string): Promise<BlindIndexHasher> {
    return new BlindIndexHasher(await this.#insertOrRead({ purpose: 'index', owner: clientId, part: '' }, clientId));
  }

  /** Like {@link indexHasher}, but creates no key. Null: nothing of this client was ever indexed. */
  async findIndexHasher(clientId: string): Promise<BlindIndexHasher | null> {
    const key = await this.#read({ purpose: 'index', owner: clientId, part: '' });
    return key === undefined ? null : new BlindIndexHasher(key);
  }

  /** Destroys the key for payloads of one account and day, or prevents that one is ever created. */
  async destroyInboxKey(providerAccountId: string, day: string): Promise<void> {
    const id = inbox(providerAccountId, day);
    await this.#keystore.destroyDataKey(id);
    this.#dataKeys.drop(cacheName(id));
  }

  /** Accounts and days before the day `before` whose inbox key is not destroyed, oldest first. */
  async inboxKeyDays(before: string): Promise<{ providerAccountId: string; day: string }[]> {
    const keys = await this.#keystore.keysOfDaysBefore('inbox', before);
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
   * Checks that the root key belongs to this keystore; an empty keystore adopts it by wrapping its first key. Throws
   * {@link VaultError} `root_key` otherwise. Call at start.
   */
  async verifyRootKey(): Promise<void> {
    try {
      await this.#keks.verify(SYSTEM_CLIENT);
    } catch (cause) {
      if (!(cause instanceof VaultError && cause.reason === 'open_failed')) throw cause;
      const detail = `${this.#rootKey.name} does not open this keystore: its keys were wrapped by another root key`;
      throw new VaultError('root_key', detail, cause);
    }
  }

  /** Wipes all keys and ends the pool. */
  async close(): Promise<void> {
    this.#conversations.close();
    this.#dataKeys.close();
    this.#keks.close();
    this.#rootKey.close();
    await this.#keystore.close();
  }

  async #read(id: KeyId): Promise<DataKey | undefined> {
    const cached = this.#dataKeys.get(cacheName(id));
    if (cached !== undefined) return cached;
    const ticket = this.#dataKeys.ticket();
    const row = await this.#keystore.findDataKey(id);
    if (row === undefined) return undefined;
    if (row.wrapped === null) throw new KeyDestroyed(row.destroyedAt);
    const key = (await this.#keks.of(row)).unwrap(row.wrapped, contextOf(id, row.clientId ?? ''));
    this.#dataKeys.put(cacheName(id), key, ticket);
    return key;
  }

  /** Concurrent callers, also in other processes, get the same key: the first insert wins and the others read it. */
  async #insertOrRead(id: KeyId, clientId: string): Promise<DataKey> {
    const found = await this.#read(id);
    if (found !== undefined) return found;
    const ticket = this.#dataKeys.ticket();
    const kek = await this.#keks.current(clientId);
    const key = DataKey.random(contextOf(id, clientId));
    if (await this.#keystore.addDataKey(id, kek.id, kek.wrap.wrap(key))) {
      this.#dataKeys.put(cacheName(id), key, ticket);
      return key;
    }
    const theirs = await this.#read(id);
    if (theirs !== undefined) return theirs;
    this.#keks.forget(kek.id);
    throw new VaultError('key_missing', 'No key could be created: its key-encryption key was destroyed meanwhile');
  }
}
