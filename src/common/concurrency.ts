/** Enough to use an account's rate limit, few enough to leave database connections to others. */
const CONCURRENCY = 8;

/**
 * Processes `items` in order, up to 8 at once. After a failure no further item is started; rejects with the error once the
 * running ones have ended.
 */
export async function forEachConcurrently<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  let hasFailed = false;
  const processNext = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined && !hasFailed; next = queue.shift()) {
      await work(next).catch((error: unknown) => {
        hasFailed = true;
        throw error;
      });
    }
  };
  for (const result of await Promise.allSettled(Array.from({ length: CONCURRENCY }, processNext)))
    if (result.status === 'rejected') throw result.reason;
}
