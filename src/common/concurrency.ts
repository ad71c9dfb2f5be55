// Several conversations at once: enough to use an account's rate, few enough to leave the database to others.
const LANES = 8;

/**
 * Works through `items` in their order, several at once. After one that fails no further one is begun; rejects with an
 * error when those under way are done.
 */
export async function forEachConcurrently<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  let hasFailed = false;
  const lane = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined && !hasFailed; next = queue.shift()) {
      await work(next).catch((error: unknown) => {
        hasFailed = true;
        throw error;
      });
    }
  };
  for (const ended of await Promise.allSettled(Array.from({ length: LANES }, lane)))
    if (ended.status === 'rejected') throw ended.reason;
}
