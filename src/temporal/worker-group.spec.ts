import { describe, expect, it } from 'vitest';
import { WorkerGroup, type GroupedWorker } from './worker-group.js';

type State = ReturnType<GroupedWorker['getState']>;

/** Runs until it is shut down or fails; shutting down takes a moment. */
class TestWorker implements GroupedWorker {
  state: State = 'INITIALIZED';
  private end: (error?: Error) => void = () => undefined;

  constructor(private readonly lastWords?: Error) {}

  getState(): State {
    return this.state;
  }

  async run(): Promise<void> {
    this.state = 'RUNNING';
    try {
      await new Promise<void>((resolve, reject) => {
        this.end = (error) => (error === undefined ? resolve() : reject(error));
      });
    } finally {
      this.state = 'STOPPED';
    }
  }

  shutdown(): void {
    this.state = 'DRAINING';
    setTimeout(() => this.end(this.lastWords), 20);
  }

  fail(error: Error): void {
    this.end(error);
  }
}

describe('workers of one connection', () => {
  it('all end when one fails, and the first failure is reported once all have ended', async () => {
    const follow = new Error('follows from the first');
    const [first, second, third] = [new TestWorker(follow), new TestWorker(), new TestWorker()] as const;
    const group = await WorkerGroup.of([first, second, third].map((worker) => Promise.resolve(worker)));
    const ended = group.run();
    const cause = new Error('the cause');
    second.fail(cause);
    await expect(ended).rejects.toBe(cause);
    expect([first, second, third].map(({ state }) => state)).toEqual(['STOPPED', 'STOPPED', 'STOPPED']);
  });

  it('end without a failure on shutdown', async () => {
    const workers = [new TestWorker(), new TestWorker()];
    const group = await WorkerGroup.of(workers.map((worker) => Promise.resolve(worker)));
    const ended = group.run();
    group.shutDown();
    await expect(ended).resolves.toBeUndefined();
    expect(workers.map(({ state }) => state)).toEqual(['STOPPED', 'STOPPED']);
  });

  it('are ended if one of them cannot be created', async () => {
    const made = new TestWorker();
    const cause = new Error('no bundle');
    await expect(WorkerGroup.of([Promise.reject(cause), Promise.resolve(made)])).rejects.toBe(cause);
    expect(made.state).toBe('STOPPED');
  });
});
