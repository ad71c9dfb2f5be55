// So many at once for each account, the rest in line.

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
    else if (!(await this.wait(line, patienceMs, signal))) return null;
    let isHeld = true;
    return () => {
      if (isHeld) this.pass(accountId, line);
      isHeld = false;
    };
  }

  /** False: no place came in time. */
  private wait(line: Line, patienceMs: number, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', aborted);
        line.waiting = line.waiting.filter((other) => other !== place);
      };
      const place = (): void => {
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
      line.waiting.push(place);
    });
  }

  /** Whoever waits longest gets the place. */
  private pass(accountId: string, line: Line): void {
    const next = line.waiting.shift();
    if (next !== undefined) return next();
    line.taken -= 1;
    if (line.taken === 0) this.lines.delete(accountId);
  }
}
