// Finds, creates, caches (wrapped) and destroys the keys of conversations.
import { Batcher } from '../common/batcher.js';
import { ConversationKeys, newKeys } from './conversation-keys.js';
import { KeyDestroyed, VaultError } from './errors.js';
import { type Cacheable, KeyCache } from './key-cache.js';
import type { KeyEncryptionKeys } from './key-encryption-keys.js';
import {
  type ConversationKeyRow,
  type ConversationKeyTable,
  type NewConversationKeys,
} from './keystore/conversation-key-table.js';
import { KEY_CLASSES, type KeyClass } from './keystore/key-purposes.js';

export interface ConversationOwner {
  conversationId: string;
  clientId: string;
}

/** Concurrent reads share a statement, and so do concurrent inserts. */
const BATCHING = { maxItems: 64, concurrency: 1 };

/** Wrapped keys are not secret, so all callers share the row. Unwrapping a key takes 3 µs. */
class CachedRow implements Cacheable<CachedRow> {
  constructor(readonly row: ConversationKeyRow) {}

  copy(): CachedRow {
    return this;
  }

  wipe(): void {
    // Nothing secret to overwrite.
  }
}

export class ConversationKeyring {
  readonly #table: ConversationKeyTable;
  readonly #keks: KeyEncryptionKeys;
  readonly #cache = new KeyCache<CachedRow>();
  readonly #finds: Batcher<string, ConversationKeyRow | undefined>;
  readonly #inserts: Batcher<NewConversationKeys, boolean>;

  constructor(table: ConversationKeyTable, keks: KeyEncryptionKeys) {
    this.#table = table;
    this.#keks = keks;
    this.#finds = new Batcher((ids) => this.#find(ids), BATCHING);
    this.#inserts = new Batcher((keys) => this.#add(keys), BATCHING);
  }

  /** The keys of these classes; all five are created if there are none. Throws `wrong_owner` if they belong to another client. */
  async findOrCreate(owner: ConversationOwner, classes: readonly KeyClass[]): Promise<ConversationKeys> {
    const row = (await this.#row(owner.conversationId)) ?? (await this.#createRow(owner));
    const keys = await this.#unwrap(row, classes);
    if (row.clientId === owner.clientId) return keys;
    throw new VaultError('wrong_owner', 'The keys of this conversation belong to another client');
  }

  /** The keys of these classes. Throws `key_missing` if the conversation never had keys. */
  async existing(conversationId: string, classes: readonly KeyClass[]): Promise<ConversationKeys> {
    const row = await this.#row(conversationId);
    if (row === undefined) throw new VaultError('key_missing', 'This conversation has no keys');
    return this.#unwrap(row, classes);
  }

  /** Keys of many conversations, with at most one query; those without keys, or with destroyed ones only, are left out. */
  async existingOf(
    conversationIds: readonly string[],
    classes: readonly KeyClass[],
  ): Promise<Map<string, ConversationKeys>> {
    const found = new Map<string, ConversationKeys>();
    for (const row of await this.#rows(conversationIds)) {
      if (destroyedIn(row) === null) found.set(row.conversationId, await this.#unwrap(row, classes));
    }
    return found;
  }

  /** Resolves with the time when a key of the conversation was last destroyed. Throws `key_missing` if it never had keys. */
  async destroy(conversationId: string, keyClass: KeyClass): Promise<Date> {
    const destroyedAt = await this.#table.destroy(conversationId, keyClass);
    this.#cache.drop(conversationId);
    if (destroyedAt === null) throw new VaultError('key_missing', 'This conversation has no keys');
    return destroyedAt;
  }

  /** Destroys all keys, or prevents that any are ever created. Resolves with the time of the last destruction. */
  async destroyAll(conversationId: string): Promise<Date> {
    const destroyedAt = await this.#table.destroyAll(conversationId);
    this.#cache.drop(conversationId);
    return destroyedAt;
  }

  close(): void {
    this.#cache.close();
  }

  async #row(conversationId: string): Promise<ConversationKeyRow | undefined> {
    const cached = this.#cache.get(conversationId);
    if (cached !== undefined) return cached.row;
    const ticket = this.#cache.ticket();
    return this.#kept(await this.#finds.add(conversationId), ticket);
  }

  async #rows(conversationIds: readonly string[]): Promise<ConversationKeyRow[]> {
    const ticket = this.#cache.ticket();
    const cached = conversationIds.flatMap((id) => this.#cache.get(id)?.row ?? []);
    const known = new Set(cached.map(({ conversationId }) => conversationId));
    const wanted = conversationIds.filter((id) => !known.has(id));
    const found = wanted.length === 0 ? [] : await this.#table.find(wanted);
    const kept = await Promise.all(found.map((row) => this.#kept(row, ticket)));
    return [...cached, ...kept.filter((row) => row !== undefined)];
  }

  /** Asking for marked keys keeps them; undefined if they were deleted a moment ago. */
  async #kept(row: ConversationKeyRow | undefined, ticket: number): Promise<ConversationKeyRow | undefined> {
    if (row === undefined) return undefined;
    const { conversationId } = row;
    if (row.isMarked && (await this.#table.unmark([conversationId])) === 0) {
      // Another process removed the mark first: it either kept the keys or deleted them.
      const [again] = await this.#table.find([conversationId]);
      return this.#kept(again, ticket);
    }
    const kept = { ...row, isMarked: false };
    this.#cache.put(conversationId, new CachedRow(kept), ticket);
    return kept;
  }

  /** Concurrent callers, also in other processes, get the same keys: the first insert wins and the others read it. */
  async #createRow({ conversationId, clientId }: ConversationOwner): Promise<ConversationKeyRow> {
    const ticket = this.#cache.ticket();
    const { id, wrap } = await this.#keks.current(clientId);
    const keys = newKeys({ conversationId, clientId });
    const entries = KEY_CLASSES.map((keyClass) => [keyClass, wrap.wrap(keys[keyClass])] as const);
    for (const key of Object.values(keys)) key.wipe();
    const wrapped = Object.fromEntries(entries) as Record<KeyClass, Buffer>;
    if (!(await this.#inserts.add({ conversationId, kek: id, wrapped }))) {
      const theirs = await this.#row(conversationId);
      if (theirs !== undefined) return theirs;
      this.#keks.forget(id);
      throw new VaultError('key_missing', 'No keys could be created: their key-encryption key was destroyed meanwhile');
    }
    const row = {
      conversationId,
      ...wrapped,
      ...id,
      kek: null,
      kekDestroyedAt: null,
      destroyedAt: null,
      isMarked: false,
    };
    this.#cache.put(conversationId, new CachedRow(row), ticket);
    return row;
  }

  async #unwrap(row: ConversationKeyRow, classes: readonly KeyClass[]): Promise<ConversationKeys> {
    const destroyedAt = destroyedIn(row);
    if (destroyedAt !== null) throw new KeyDestroyed(destroyedAt);
    return ConversationKeys.unwrap(row, row.clientId ?? '', await this.#keks.of(row), classes);
  }

  async #find(ids: string[]): Promise<(ConversationKeyRow | undefined)[]> {
    const rows = await this.#table.find([...new Set(ids)]);
    const byId = new Map(rows.map((row) => [row.conversationId, row]));
    return ids.map((id) => byId.get(id));
  }

  /** True for keys that were inserted. Of several for one conversation in a batch, only the first is tried. */
  async #add(keys: NewConversationKeys[]): Promise<boolean[]> {
    const firstOf = new Map(keys.toReversed().map((one) => [one.conversationId, one]));
    const added = await this.#table.add([...firstOf.values()]);
    return keys.map((one) => firstOf.get(one.conversationId) === one && added.has(one.conversationId));
  }
}

/** When the last of its keys was destroyed; null while any is left. */
function destroyedIn(row: ConversationKeyRow): Date | null {
  if (row.kekDestroyedAt !== null) return row.kekDestroyedAt;
  return KEY_CLASSES.every((keyClass) => row[keyClass] === null) ? row.destroyedAt : null;
}
