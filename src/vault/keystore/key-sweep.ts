// Deletes keys of conversations that were never created. A key is committed before its first use, and that use may fail for
// good. Two steps: a key whose conversation does not exist is marked for deletion, and whoever asks the keystore for it
// removes the mark. If the mark is still there half an hour later, nobody has asked for the key since and no process still
// caches it (60 s). If its conversation still does not exist, nothing was sealed with it: it is deleted, without a tombstone,
// so that a later fact creates a new key. A lock in the content database could not guarantee this: it ends unnoticed with
// its connection.
import { lowestUuidAt } from '../../common/ids.js';
import type { ConversationKeyTable } from './conversation-key-table.js';

/** Those conversations that do not exist and will not: nothing waits or is under way that may create them. */
export type AbandonedAmong = (conversationIds: string[]) => Promise<string[]>;

const PAGE = 1_000;
/** Pages per run: a hundred thousand keys. The next run continues there. */
const PAGES = 100;
const DAY_MS = 86_400_000;
const BEYOND_ALL = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

export class KeySweep {
  readonly #keys: ConversationKeyTable;
  /** The walk goes from the newest conversations to the oldest, then starts over. */
  #below = BEYOND_ALL;

  constructor(keys: ConversationKeyTable) {
    this.#keys = keys;
  }

  async run(abandonedAmong: AbandonedAmong): Promise<{ marked: number; removed: number }> {
    const removed = await this.#remove(abandonedAmong);
    return { removed, marked: await this.#markForDeletion(abandonedAmong) };
  }

  async #remove(abandonedAmong: AbandonedAmong): Promise<number> {
    let removed = 0;
    for (let page = 0; page < PAGES; page += 1) {
      const ids = await this.#keys.markedConversations(PAGE);
      if (ids.length === 0) break;
      const orphans = new Set(await abandonedAmong(ids));
      await this.#keys.unmark(ids.filter((id) => !orphans.has(id)));
      removed += await this.#keys.sweepMarked([...orphans]);
    }
    return removed;
  }

  async #markForDeletion(abandonedAmong: AbandonedAmong): Promise<number> {
    // Ids of conversations tell when they were drawn, which saves a column.
    const olderThan = lowestUuidAt(Date.now() - DAY_MS);
    let marked = 0;
    for (let page = 0; page < PAGES; page += 1) {
      const ids = await this.#keys.keyedConversations(this.#below, olderThan, PAGE);
      const orphans = ids.length === 0 ? [] : await abandonedAmong(ids);
      if (orphans.length > 0) marked += await this.#keys.markForDeletion(orphans, olderThan);
      const last = ids.at(-1);
      this.#below = last === undefined || ids.length < PAGE ? BEYOND_ALL : last;
      if (this.#below === BEYOND_ALL) break;
    }
    return marked;
  }
}
