// Keys of conversations that never came to be: a key is on disk before the first thing that it seals, and that may fail for
// good. They go in two steps. A key that belongs to no conversation is condemned; who asks the keystore for it after that
// lifts the mark. What is still condemned half an hour later nobody has asked for since, no process holds in memory any
// longer (60 s), and, if it belongs to no conversation even now, nothing was sealed with: it is deleted, without a
// tombstone, so that a later fact makes a new one. Locks of another database could not promise that: they end with their
// connection, unnoticed.
import type { Keystore } from './keystore.js';

/** Which of these conversations do not exist, with nothing waiting or under way that may make them. */
export type AbandonedAmong = (conversationIds: string[]) => Promise<string[]>;

const PAGE = 1_000;
/** Of one run: a hundred thousand keys. The next one goes on there. */
const PAGES = 100;
const BEYOND_ALL = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

export class KeySweep {
  readonly #keystore: Keystore;
  /** The walk goes down, from the youngest conversations to the oldest, and starts over. */
  #below = BEYOND_ALL;

  constructor(keystore: Keystore) {
    this.#keystore = keystore;
  }

  async run(abandonedAmong: AbandonedAmong): Promise<{ condemned: number; removed: number }> {
    const removed = await this.#remove(abandonedAmong);
    return { removed, condemned: await this.#markForDeletion(abandonedAmong) };
  }

  async #remove(abandonedAmong: AbandonedAmong): Promise<number> {
    let removed = 0;
    for (let page = 0; page < PAGES; page += 1) {
      const ids = await this.#keystore.condemnedConversations(PAGE);
      if (ids.length === 0) break;
      const orphans = new Set(await abandonedAmong(ids));
      await this.#keystore.unmark(ids.filter((id) => !orphans.has(id)));
      removed += await this.#keystore.sweepMarked([...orphans]);
    }
    return removed;
  }

  async #markForDeletion(abandonedAmong: AbandonedAmong): Promise<number> {
    let condemned = 0;
    for (let page = 0; page < PAGES; page += 1) {
      const ids = await this.#keystore.keyedConversations(this.#below, PAGE);
      condemned += ids.length === 0 ? 0 : await this.#keystore.markForDeletion(await abandonedAmong(ids));
      const last = ids.at(-1);
      this.#below = last === undefined || ids.length < PAGE ? BEYOND_ALL : last;
      if (this.#below === BEYOND_ALL) break;
    }
    return condemned;
  }
}
