// So many at once for each account, the rest in line.
import { setTimeout as sleep } from 'node:timers/promises';

interface Line {
  taken: number;
  waiting: (() => void)[];
}

export class Slots {
  private readonly lines = new Map<string, Line>();

  /** `size`: how many of one account hold a slot at the same time. */
  constructor(private readonly size: number) {}

  /** Takes one within `patienceMs`: resolves with what gives it back, or null. Rejects when `signal` is aborted meanwhile. */
  async take(accountId: string, patienceMs: number, signal: AbortSignal): Promise<(() => void) | null> {
    signal.throwIfAborted();
    const line = this.lines.get(accountId) ?? { taken: 0, waiting: [] };
    this.lines.set(accountId, line);
    if (line.taken < this.size) line.taken += 1;
    else if (!(await this.wait(accountId, line, patienceMs, signal))) return null;
    let isHeld = true;
    return () => {
      if (isHeld) this.pass(accountId, line);
      isHeld = false;
    };
  }

  private async wait(accountId: string, line: Line, patienceMs: number, signal: AbortSignal): Promise<boolean> {
    const over = new AbortController();
    let isMine = false;
    let called = (): void => undefined;
    const turn = new Promise<void>((resolve) => (called = resolve));
    const place = (): void => {
      isMine = true;
      called();
    };
    line.waiting.push(place);
    try {
      await Promise.race([turn, sleep(patienceMs, undefined, { signal: AbortSignal.any([signal, over.signal]) })]);
    } catch (error) {
      // It came in the very moment in which nobody wanted it any more.
      if (isMine) this.pass(accountId, line);
      throw error;
    } finally {
      over.abort();
      line.waiting = line.waiting.filter((other) => other !== place);
    }
    return isMine;
  }

  /** Whoever waits longest gets the place. */
  private pass(accountId: string, line: Line): void {
    const next = line.waiting.shift();
    if (next !== undefined) return next();
    line.taken -= 1;
    if (line.taken === 0) this.lines.delete(accountId);
  }
}
