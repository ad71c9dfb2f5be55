// The unwrapped keys of one conversation.
import { DataKey } from './data-key.js';
import { KeyDestroyed } from './errors.js';
import type { KeyWrap } from './key-wrap.js';
import type { ConversationKeyRow } from './keystore/conversation-key-table.js';
import { KEY_CLASSES, type KeyClass } from './keystore/key-purposes.js';

export type { KeyClass } from './keystore/key-purposes.js';

/** Binds a wrapped key of a conversation, and everything sealed with it, to its owner and class. */
export const keyContext = (of: { conversationId: string; clientId: string; keyClass: KeyClass }): string =>
  JSON.stringify(['conversation', of.conversationId, of.keyClass, of.clientId]);

/** Five new keys. */
export function newKeys(owner: { conversationId: string; clientId: string }): Record<KeyClass, DataKey> {
  const entries = KEY_CLASSES.map((keyClass) => [keyClass, DataKey.random(keyContext({ ...owner, keyClass }))]);
  return Object.fromEntries(entries) as Record<KeyClass, DataKey>;
}

/** Null: destroyed. */
type Keys = Partial<Record<KeyClass, DataKey | null>>;

/** Holds the requested classes only. Belongs to the caller. */
export class ConversationKeys {
  readonly #keys: Keys;
  readonly #destroyedAt: Date | null;

  constructor(keys: Keys, destroyedAt: Date | null) {
    this.#keys = keys;
    this.#destroyedAt = destroyedAt;
  }

  /** Unwraps these classes of a row. Throws VaultError `open_failed`. */
  static unwrap(
    { conversationId, destroyedAt, ...wrapped }: ConversationKeyRow,
    clientId: string,
    kek: KeyWrap,
    classes: readonly KeyClass[],
  ): ConversationKeys {
    const keys: Keys = {};
    for (const keyClass of classes) {
      const bytes = wrapped[keyClass];
      keys[keyClass] = bytes && kek.unwrap(bytes, keyContext({ conversationId, clientId, keyClass }));
    }
    return new ConversationKeys(keys, destroyedAt);
  }

  /** Throws {@link KeyDestroyed}. */
  get(keyClass: KeyClass): DataKey {
    const key = this.find(keyClass);
    if (key === null) throw new KeyDestroyed(this.#destroyedAt ?? new Date(0));
    return key;
  }

  /** Null: destroyed. */
  find(keyClass: KeyClass): DataKey | null {
    const key = this.#keys[keyClass];
    if (key === undefined) throw new Error(`the ${keyClass} key was not requested`);
    return key;
  }
}
