// Keys of conversations as this process needs them: found or made, cached wrapped, destroyed.
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

/** Those that are asked for or made at the same time share a statement, and a commit. */
const TOGETHER = { maxItems: 64, concurrency: 1 };

/** Wrapped keys are no secret, so all who ask get the same row: unwrapping one takes 3 µs. */
class CachedRow implements Cacheable<CachedRow> {
  constructor(readonly row: ConversationKeyRow) {}

  copy(): CachedRow {
    return this;
  }

  wipe(): void {
    // Nothing here opens anything.
  }
}

export class ConversationKeyring {
  readonly #table: ConversationKeyTable;
  readonly #keks: KeyEncryptionKeys;
  readonly #cache = new KeyCache<CachedRow>();
  readonly #found: Batcher<string, ConversationKeyRow | undefined>;
  readonly #added: Batcher<NewConversationKeys, boolean>;

  constructor(table: ConversationKeyTable, keks: KeyEncryptionKeys) {
    this.#table = table;
    this.#keks = keks;
    this.#found = new Batcher((ids) => this.#find(ids), TOGETHER);
    this.#added = new Batcher((keys) => this.#add(keys), TOGETHER);
  }

  /** The keys of these classes, all five made if there are none. `wrong_owner` when they are another client's. */
  async make(owner: ConversationOwner, classes: readonly KeyClass[]): Promise<ConversationKeys> {
    const row = (await this.#row(owner.conversationId)) ?? (await this.#makeRow(owner));
    const keys = await this.#unwrap(row, classes);
    if (row.clientId === owner.clientId) return keys;
    throw new VaultError('wrong_owner', 'The keys of this conversation belong to another client');
  }

  /** The keys of these classes; `key_missing` when it never had keys. */
  async existing(conversationId: string, classes: readonly KeyClass[]): Promise<ConversationKeys> {
    const row = await this.#row(conversationId);
    if (row === undefined) throw new VaultError('key_missing', 'This conversation has no keys');
    return this.#unwrap(row, classes);
  }

  /** Of many conversations with one query at most; without those that have no keys, or none any more. */
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

  /** Returns when a key of the conversation was last destroyed; `key_missing` when it never had keys. */
  async destroy(conversationId: string, keyClass: KeyClass): Promise<Date> {
    const destroyedAt = await this.#table.destroy(conversationId, keyClass);
    this.#cache.drop(conversationId);
    if (destroyedAt === null) throw new VaultError('key_missing', 'This conversation has no keys');
    return destroyedAt;
  }

  /** Destroys all keys, or sees to it that none are ever made. Returns when the last was destroyed. */
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
    return this.#kept(await this.#found.add(conversationId), ticket);
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

  /** Whoever asks for marked keys keeps them; undefined when they were deleted a moment ago. */
  async #kept(row: ConversationKeyRow | undefined, ticket: number): Promise<ConversationKeyRow | undefined> {
    if (row === undefined) return undefined;
    const { conversationId } = row;
    if (row.isMarked && (await this.#table.unmark([conversationId])) === 0) {
      // Somebody else was first: unmarked them too, or deleted them.
      const [again] = await this.#table.find([conversationId]);
      return this.#kept(again, ticket);
    }
    const kept = { ...row, isMarked: false };
    this.#cache.put(conversationId, new CachedRow(kept), ticket);
    return kept;
  }

  /** Concurrent callers, of other processes too, get the same keys: the first insert wins and the others read it. */
  async #makeRow({ conversationId, clientId }: ConversationOwner): Promise<ConversationKeyRow> {
    const ticket = this.#cache.ticket();
    const { id, wrap } = await this.#keks.current(clientId);
    const keys = newKeys({ conversationId, clientId });
    const entries = KEY_CLASSES.map((keyClass) => [keyClass, wrap.wrap(keys[keyClass])] as const);
    for (const key of Object.values(keys)) key.wipe();
    const wrapped = Object.fromEntries(entries) as Record<KeyClass, Buffer>;
    if (!(await this.#added.add({ conversationId, kek: id, wrapped }))) {
      const theirs = await this.#row(conversationId);
      if (theirs !== undefined) return theirs;
      this.#keks.forget(id);
      throw new VaultError('key_missing', 'No keys could be made: their key-encryption key was destroyed meanwhile');
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

  /** True for those that are now the conversation's keys; of two that were made here at once, the first is tried. */
  async #add(keys: NewConversationKeys[]): Promise<boolean[]> {
    const firstOf = new Map(keys.toReversed().map((one) => [one.conversationId, one]));
    const added = await this.#table.add([...firstOf.values()]);
    return keys.map((one) => firstOf.get(one.conversationId) === one && added.has(one.conversationId));
  }
}

/** When the last of its keys was destroyed; null while there are any. */
function destroyedIn(row: ConversationKeyRow): Date | null {
  if (row.kekDestroyedAt !== null) return row.kekDestroyedAt;
  return KEY_CLASSES.every((keyClass) => row[keyClass] === null) ? row.destroyedAt : null;
}
