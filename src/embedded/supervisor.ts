// Keeps the child processes of `npm run up` alive, and ends them in reverse start order.
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Exit } from './processes.js';
import { describeExit, endProcess, exitOf, isAlive, signalGroup } from './processes.js';
import { StartError } from './start-error.js';

/** A part of the installation that runs as one child process at a time. */
export interface Service {
  /** For messages: `the API`. */
  name: string;
  /**
   * How to stop it: `signal`, then after `waitMs` `urgent` (500 ms), then SIGKILL to its group. Adjacent services with the same
   * `together` do not depend on each other and stop in parallel.
   */
  stop: { signal: 'SIGINT' | 'SIGTERM'; waitMs: number; urgent?: 'SIGQUIT'; together?: 'programs' | 'servers' };
  /** Path of its log, for messages. */
  log: string;
  /** Spawns a process, passes it to `onSpawn`, and resolves when it is ready. Throws {@link StartError}. */
  start(onSpawn: (child: ChildProcess) => void): Promise<void>;
  /** The last error that the process logged, in short. */
  lastError?(): string | undefined;
}

/** A running child, for the lock file. */
export interface SupervisedChild {
  name: string;
  pid: number;
  signal: 'SIGINT' | 'SIGTERM';
}

export interface SupervisorOptions {
  report: (line: string) => void;
  /** Called with all running children after every change. */
  onChange?: (children: SupervisedChild[]) => void;
  /** Number of exits within `windowMs` after which a service is given up. Default 5 in a minute. */
  maxCrashes?: number;
  windowMs?: number;
  /** Pause before the first restart; doubles with each exit within the window. Default 250. */
  backoffMs?: number;
}

interface Entry {
  service: Service;
  child?: ChildProcess;
  crashes: number[];
}

export class Supervisor {
  /** Resolves with the reason when a service is given up. */
  readonly failed: Promise<string>;
  private readonly entries: Entry[] = [];
  private readonly stopping = new AbortController();
  private fail: (reason: string) => void = () => undefined;

  constructor(private readonly options: SupervisorOptions) {
    this.failed = new Promise((resolve) => (this.fail = resolve));
  }

  /** Starts a service and restarts it whenever it exits. Throws {@link StartError} if the first start fails. */
  async start(service: Service): Promise<void> {
    const entry: Entry = { service, crashes: [] };
    this.entries.push(entry);
    await this.launch(entry);
  }

  /** Runs a process that ends by itself; stop() ends it too. */
  async runOnce(work: (onSpawn: (child: ChildProcess) => void) => Promise<void>): Promise<void> {
    const service = {
      name: 'a step of the start',
      log: '',
      stop: { signal: 'SIGTERM', waitMs: 500 } as const,
      start: work,
    };
    const entry: Entry = { service, crashes: [] };
    this.entries.push(entry);
    await work((child) => this.adopt(entry, child));
    this.entries.splice(this.entries.indexOf(entry), 1);
  }

  /**
   * Ends all children, newest first, each within its own time and then by force. The times, counted once for services that
   * stop in parallel and including 0.5 s for an urgent signal, must not add up to more than 9.9 s.
   */
  async stop(): Promise<void> {
    this.stopping.abort();
    const groups: Entry[][] = [];
    for (const entry of this.entries.toReversed()) {
      const neighbours = groups.at(-1);
      const { together } = entry.service.stop;
      if (together !== undefined && neighbours?.[0]?.service.stop.together === together) neighbours.push(entry);
      else groups.push([entry]);
    }
    for (const group of groups) await Promise.all(group.map(async (entry) => await end(entry)));
  }

  /** Ends all children at once; those with an urgent signal have 0.5 s. */
  async kill(): Promise<void> {
    this.stopping.abort();
    await Promise.all(this.entries.map((entry) => end(entry, 0)));
  }

  private async launch(entry: Entry): Promise<void> {
    await entry.service.start((child) => this.adopt(entry, child));
    const { child } = entry;
    if (child === undefined) throw new Error(`${entry.service.name} started without a process`);
    const exited = isAlive(child) ? exitOf(child) : Promise.resolve({ code: child.exitCode, signal: child.signalCode });
    void exited.then((exit) => this.onExit(entry, exit));
  }

  private adopt(entry: Entry, child: ChildProcess): void {
    entry.child = child;
    this.announce();
    child.once('exit', () => this.announce());
    // A start was in progress when the stop began.
    if (this.stopping.signal.aborted) void end(entry);
  }

  private announce(): void {
    const children = this.entries.flatMap(({ service, child }) =>
      isAlive(child) ? [{ name: service.name, pid: child?.pid ?? 0, signal: service.stop.signal }] : [],
    );
    this.options.onChange?.(children);
  }

  private async onExit(entry: Entry, exit: Exit): Promise<void> {
    if (this.stopping.signal.aborted) return;
    const words = entry.service.lastError?.();
    let how = `${describeExit(exit)}${words === undefined ? '' : `: ${words}`}`;
    while (!this.stopping.signal.aborted) {
      const waitMs = this.noteCrash(entry, how);
      if (waitMs === undefined) return;
      await sleep(waitMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
      if (this.stopping.signal.aborted) return;
      try {
        await this.launch(entry);
        return this.options.report(`${entry.service.name} is back (process ${entry.child?.pid ?? '?'})`);
      } catch (error) {
        if (!(error instanceof StartError)) return this.fail(String(error));
        how = error.message;
      }
    }
  }

  /** Milliseconds to wait before the next start; undefined: the service is given up. */
  private noteCrash(entry: Entry, how: string): number | undefined {
    const { report, maxCrashes = 5, windowMs = 60_000, backoffMs = 250 } = this.options;
    const { name, log } = entry.service;
    const now = Date.now();
    entry.crashes = [...entry.crashes.filter((time) => time > now - windowMs), now];
    const count = entry.crashes.length;
    if (count >= maxCrashes) {
      this.fail(`${name} ended ${count} times within ${windowMs / 1000} s (last: ${how}); its log is ${log}`);
      return undefined;
    }
    const waitMs = backoffMs * 2 ** (count - 1);
    report(`${name} ${how}; starting it again in ${waitMs / 1000} s (its log is ${log})`);
    return waitMs;
  }
}

async function end({ service, child }: Entry, graceMs = service.stop.waitMs): Promise<void> {
  if (child?.pid === undefined || !isAlive(child)) return;
  const { signal, urgent } = service.stop;
  await endProcess(child.pid, [
    ...(graceMs > 0 ? [[signal, graceMs] as const] : []),
    ...(urgent === undefined ? [] : [[urgent, 500] as const]),
    ['SIGKILL', 1_000],
  ]);
  // Ends processes that it started and left behind.
  signalGroup(child.pid, 'SIGKILL');
}
