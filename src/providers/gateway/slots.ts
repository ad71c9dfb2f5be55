// Limits concurrency per key (an account or a client); further requests wait in order.

interface Queue {
  taken: number;
  waiting: (() => void)[];
}

export class Slots {
  private readonly queues = new Map<string, Queue>();

  /** `size`: slots per key. */
  constructor(private readonly size: number) {}

  /**
   * Takes a slot within `patienceMs`: resolves with the function that releases it, or null. Rejects if `signal` is aborted
   * meanwhile.
   */
  async take(key: string, patienceMs: number, signal: AbortSignal): Promise<(() => void) | null> {
    signal.throwIfAborted();
    const queue = this.queues.get(key) ?? { taken: 0, waiting: [] };
    this.queues.set(key, queue);
    if (queue.taken < this.size) queue.taken += 1;
    else if (!(await this.wait(queue, patienceMs, signal))) return null;
    let isHeld = true;
    return () => {
      if (isHeld) this.release(key, queue);
      isHeld = false;
    };
  }

  /** False: no slot became free in time. */
  private wait(queue: Queue, patienceMs: number, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', aborted);
        queue.waiting = queue.waiting.filter((other) => other !== take);
      };
      const take = (): void => {
        leave();
        resolve(true);
      };
      const aborted = (): void => {
        leave();
        reject(signal.reason as Error);
      };
      const timer = setTimeout(() => {
        leave();
        resolve(false);
      }, patienceMs);
      signal.addEventListener('abort', aborted, { once: true });
      queue.waiting.push(take);
    });
  }

  /** Passes the slot to the request that has waited longest. */
  private release(key: string, queue: Queue): void {
    const next = queue.waiting.shift();
    if (next !== undefined) return next();
    queue.taken -= 1;
    if (queue.taken === 0) this.queues.delete(key);
  }
}
