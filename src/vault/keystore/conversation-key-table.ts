// Keys of conversations in the keystore: one row per conversation with five wrapped keys, created by one insert.
import type { KekId } from '../root-key.js';
import { KEY_CLASSES, type KeyClass } from './key-purposes.js';
import { type Keystore, WRAPPING_KEK, type WrappingKek } from './keystore.js';

/** By class; null: destroyed. */
export type WrappedKeys = Record<KeyClass, Buffer | null>;

/** The keys of a conversation with the key-encryption key they are wrapped by. */
export interface ConversationKeyRow extends WrappedKeys, WrappingKek {
  conversationId: string;
  /** When one of them was last destroyed; null: none was. */
  destroyedAt: Date | null;
  /** Marked for deletion: {@link ConversationKeyTable.unmark} must keep the keys before they are used. */
  isMarked: boolean;
}

export interface NewConversationKeys {
  conversationId: string;
  kek: KekId;
  wrapped: Record<KeyClass, Buffer>;
}

const COLUMNS = KEY_CLASSES.join(', ');
const FIND = `
SELECT c.conversation_id AS "conversationId", ${KEY_CLASSES.map((name) => `c.${name}`).join(', ')},
  c.destroyed_at AS "destroyedAt", ${WRAPPING_KEK}, m.conversation_id IS NOT NULL AS "isMarked"
FROM conversation_keys c
LEFT JOIN keks k ON k.id = c.kek_id
LEFT JOIN keys_marked_for_deletion m ON m.conversation_id = c.conversation_id
WHERE c.conversation_id = ANY($1::uuid[])`;
// In a fixed order, so that two processes that create the same keys cannot deadlock.
const ADD = `
INSERT INTO conversation_keys (conversation_id, kek_id, ${COLUMNS})
SELECT n.conversation_id, k.id, ${COLUMNS}
FROM unnest($1::uuid[], $2::uuid[], $3::int[], ${KEY_CLASSES.map((_, index) => `$${index + 4}::bytea[]`).join(', ')})
  AS n(conversation_id, client_id, epoch, ${COLUMNS})
JOIN keks k ON k.client_id = n.client_id AND k.epoch = n.epoch AND k.destroyed_at IS NULL
ORDER BY n.conversation_id
ON CONFLICT DO NOTHING RETURNING conversation_id AS id`;
const UNMARK = 'DELETE FROM keys_marked_for_deletion WHERE conversation_id = ANY($1::uuid[])';
const DESTROY_ALL = `
WITH unmarked AS (DELETE FROM keys_marked_for_deletion WHERE conversation_id = $1)
INSERT INTO conversation_keys (conversation_id, destroyed_at) VALUES ($1, now())
ON CONFLICT ON CONSTRAINT conversation_keys_pkey DO UPDATE SET ${KEY_CLASSES.map((name) => `${name} = NULL`).join(', ')},
  destroyed_at = CASE WHEN num_nonnulls(${KEY_CLASSES.map((name) => `conversation_keys.${name}`).join(', ')}) = 0
    THEN conversation_keys.destroyed_at ELSE now() END
RETURNING destroyed_at AS "destroyedAt"`;
/** Keys whose conversation may never have been created: none is destroyed, and they are older than `$2`. */
const OLD_AND_WHOLE = 'c.destroyed_at IS NULL AND c.conversation_id < $2';
/** Longer than any process caches a key. */
const MARKED_LONG_AGO = "marked_for_deletion_at < now() - interval '30 minutes'";

export class ConversationKeyTable {
  readonly #keystore: Keystore;

  constructor(keystore: Keystore) {
    this.#keystore = keystore;
  }

  /** In no particular order; conversations without keys are left out. */
  async find(conversationIds: readonly string[]): Promise<ConversationKeyRow[]> {
    const query = { name: 'vault_find_conversation_keys', text: FIND, values: [conversationIds] };
    return (await this.#keystore.query<ConversationKeyRow>(query)).rows;
  }

  /**
   * Inserts keys; `keys` names each conversation once. Resolves with the conversations whose keys were inserted: not those that had
   * keys already, live or destroyed, nor those whose key-encryption key was destroyed meanwhile (keys wrapped by it would be lost).
   */
  async add(keys: readonly NewConversationKeys[]): Promise<Set<string>> {
    const values = [
      keys.map(({ conversationId }) => conversationId),
      keys.map(({ kek }) => kek.clientId),
      keys.map(({ kek }) => kek.epoch),
      ...KEY_CLASSES.map((name) => keys.map(({ wrapped }) => wrapped[name])),
    ];
    return new Set(await this.#ids({ name: 'vault_add_conversation_keys', text: ADD, values }));
  }

  /**
   * Destroys the key of a class, and with it the key of parked facts. Resolves with the time when a key of the conversation was last
   * destroyed; null if it never had keys.
   */
  async destroy(conversationId: string, keyClass: KeyClass): Promise<Date | null> {
    const text = `
      UPDATE conversation_keys SET ${keyClass === 'parked' ? '' : `${keyClass} = NULL, `}parked = NULL,
        destroyed_at = CASE WHEN ${keyClass} IS NULL THEN destroyed_at ELSE now() END
      WHERE conversation_id = $1 RETURNING destroyed_at AS "destroyedAt"`;
    const { rows } = await this.#keystore.query<{ destroyedAt: Date }>({ text, values: [conversationId] });
    return rows[0]?.destroyedAt ?? null;
  }

  /** Leaves a tombstone, even if there were no keys yet. Resolves with the time when the last of them was destroyed. */
  async destroyAll(conversationId: string): Promise<Date> {
    const query = { text: DESTROY_ALL, values: [conversationId] };
    const [row] = (await this.#keystore.query<{ destroyedAt: Date }>(query)).rows;
    if (row === undefined) throw new Error('destroying keys returned no row');
    return row.destroyedAt;
  }

  /** Conversations older than `olderThan` with unmarked keys of which none is destroyed, descending, below `below`; both are uuids. */
  keyedConversations(below: string, olderThan: string, limit: number): Promise<string[]> {
    const text = `
      SELECT c.conversation_id AS id FROM conversation_keys c WHERE ${OLD_AND_WHOLE} AND c.conversation_id < $1
        AND NOT EXISTS (SELECT FROM keys_marked_for_deletion m WHERE m.conversation_id = c.conversation_id)
      ORDER BY c.conversation_id DESC LIMIT $3`;
    return this.#ids({ text, values: [below, olderThan, limit] });
  }

  /** Resolves with how many this call marked: of those before `olderThan`, a uuid. */
  async markForDeletion(conversationIds: string[], olderThan: string): Promise<number> {
    const text = `
      INSERT INTO keys_marked_for_deletion (conversation_id)
      SELECT c.conversation_id FROM conversation_keys c
      WHERE ${OLD_AND_WHOLE} AND c.conversation_id = ANY($1::uuid[]) ON CONFLICT DO NOTHING`;
    return (await this.#keystore.query({ text, values: [conversationIds, olderThan] })).rowCount ?? 0;
  }

  /** Keeps keys that were marked. Resolves with how many marks it removed: whoever removes a mark decides. */
  async unmark(conversationIds: string[]): Promise<number> {
    return (await this.#keystore.query({ text: UNMARK, values: [conversationIds] })).rowCount ?? 0;
  }

  /** Conversations whose keys were marked over half an hour ago and have not been asked for since. */
  markedConversations(limit: number): Promise<string[]> {
    const text = `SELECT conversation_id AS id FROM keys_marked_for_deletion WHERE ${MARKED_LONG_AGO}
      ORDER BY marked_for_deletion_at LIMIT $1`;
    return this.#ids({ text, values: [limit] });
  }

  /**
   * Deletes keys that were marked over half an hour ago and have not been asked for since, without a tombstone. Resolves
   * with how many.
   */
  async sweepMarked(conversationIds: string[]): Promise<number> {
    const text = `
      WITH due AS (
        DELETE FROM keys_marked_for_deletion
        WHERE ${MARKED_LONG_AGO} AND conversation_id = ANY($1::uuid[]) RETURNING conversation_id
      )
      DELETE FROM conversation_keys c USING due WHERE c.conversation_id = due.conversation_id AND c.destroyed_at IS NULL`;
    return (await this.#keystore.query({ text, values: [conversationIds] })).rowCount ?? 0;
  }

  async #ids(query: { name?: string; text: string; values: unknown[] }): Promise<string[]> {
    return (await this.#keystore.query<{ id: string }>(query)).rows.map(({ id }) => id);
  }
}
