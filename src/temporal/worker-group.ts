// The workers of one connection live and end together: a connection can only be closed when none of them uses it any more.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from '@temporalio/worker';

/** What is used of the SDK's Worker. */
export type GroupedWorker = Pick<Worker, 'run' | 'shutdown' | 'getState'>;

/** A worker that was never needed ends within this time, or is left behind, milliseconds. */
const DISCARD_MS = 10_000;

export class WorkerGroup {
  private constructor(private readonly workers: readonly GroupedWorker[]) {}

  /** Rejects with the first failure where one cannot be made; those that could have ended by then. */
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

  /** Until one of them ends, by itself or by {@link shutDown}, and then all. Rejects, once all have, with what failed first. */
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

  /** Ends workers that have not run. The SDK lets go of the connection of a worker that has run only. */
  async discard(): Promise<void> {
    const ended = this.run().catch(() => undefined);
    this.shutDown();
    await Promise.race([ended, sleep(DISCARD_MS, undefined, { ref: false })]);
  }
}
