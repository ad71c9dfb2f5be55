// Runs the workers of one connection together and ends them together: the connection can only be closed when no worker uses it.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from '@temporalio/worker';

/** The members of the SDK's Worker that are used. */
export type GroupedWorker = Pick<Worker, 'run' | 'shutdown' | 'getState'>;

/** How long to wait for unused workers to end, milliseconds. */
const DISCARD_MS = 10_000;

export class WorkerGroup {
  private constructor(private readonly workers: readonly GroupedWorker[]) {}

  /** Rejects with the first failure if a worker cannot be created; the others are ended first. */
  static async of(making: readonly Promise<GroupedWorker>[]): Promise<WorkerGroup> {
    const made = await Promise.allSettled(making);
    const group = new WorkerGroup(made.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])));
    const failed = made.find((one) => one.status === 'rejected');
    if (failed === undefined) return group;
    await group.discard();
    throw failed.reason;
  }

  shutDown(): void {
    for (const worker of this.workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  }

  /** Runs until a worker ends, by itself or by {@link shutDown}, then ends all. Rejects with the first failure once all have ended. */
  async run(): Promise<void> {
    const failures: unknown[] = [];
    const runs = this.workers.map((worker) =>
      worker
        .run()
        .catch((error: unknown) => void failures.push(error))
        .finally(() => this.shutDown()),
    );
    await Promise.all(runs);
    if (failures.length > 0) throw failures[0];
  }

  /** Ends workers that have not run. They must run for a moment, because only then does the SDK release their connection. */
  async discard(): Promise<void> {
    const ended = this.run().catch(() => undefined);
    this.shutDown();
    await Promise.race([ended, sleep(DISCARD_MS, undefined, { ref: false })]);
  }
}
