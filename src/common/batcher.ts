// Group commit in the application: items that arrive while a batch runs share the next batch.

interface Waiting<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

interface Limits<Item> {
  maxItems: number;
  concurrency: number;
  /**
   * Milliseconds that a busy batcher waits between batches. Callers that were just answered may add their next item
   * meanwhile, so that twice as many share a sync. An idle batcher never waits. Default 0.
   */
  gatherMs?: number;
  /** Maximum total weight of a batch; a single item may exceed it. */
  maxWeight?: number;
  weightOf?: (item: Item) => number;
}

/**
 * Collects items and runs them in batches of at most `maxItems` and `maxWeight`, `concurrency` at once. An idle batcher runs
 * at once; a busy one collects while it works, so that the batch size grows with the load and latency does not.
 */
export class Batcher<Item, Result> {
  private readonly waiting: Waiting<Item, Result>[] = [];
  private running = 0;
  private gathering = false;

  constructor(
    private readonly run: (items: Item[]) => Promise<Result[]>,
    private readonly limits: Limits<Item>,
  ) {}

  /** Resolves with the item's own result once its batch is done; rejects with the batch's error. */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      // Items of the same event loop iteration share a batch.
      setImmediate(() => this.next());
    });
  }

  private next(): void {
    if (this.gathering || this.running >= this.limits.concurrency || this.waiting.length === 0) return;
    const batch = this.waiting.splice(0, this.nextCount());
    this.running += 1;
    void this.settle(batch).finally(() => {
      this.running -= 1;
      this.afterBatch();
    });
  }

  private afterBatch(): void {
    const { gatherMs = 0, maxItems } = this.limits;
    if (gatherMs === 0 || this.waiting.length === 0 || this.waiting.length >= maxItems) return this.next();
    this.gathering = true;
    setTimeout(() => {
      this.gathering = false;
      this.next();
    }, gatherMs);
  }

  private nextCount(): number {
    const { maxItems, maxWeight = Infinity, weightOf = () => 0 } = this.limits;
    let [count, weight] = [0, 0];
    for (const { item } of this.waiting) {
      weight += weightOf(item);
      if (count === maxItems || (count > 0 && weight > maxWeight)) break;
      count += 1;
    }
    return count;
  }

  private async settle(batch: Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.run(batch.map(({ item }) => item));
      if (results.length !== batch.length) throw new Error('a batch must return one result per item');
      results.forEach((result, index) => batch[index]?.resolve(result));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
