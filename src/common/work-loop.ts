// The loop behind intake and relays: works in rounds, rests when there is nothing to do, and wakes when it is nudged.

/** Runs `round` until stopped. */
export class WorkLoop {
  private stopped = false;
  private nudged = false;
  private resting = false;
  private wakeUp: () => void = () => undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(
    /** One round; true: there may be more, so another follows at once. Must not reject. */
    private readonly round: () => Promise<boolean>,
    /** How long it rests when nobody nudges, in milliseconds. */
    private readonly pollMs: number,
  ) {}

  /** There is nothing to do, as far as it knows. */
  get isResting(): boolean {
    return this.resting;
  }

  start(): void {
    this.running = this.run();
  }

  /** There may be work: look at once instead of at the next poll. */
  nudge(): void {
    this.nudged = true;
    this.wakeUp();
  }

  /** A round that has much to do ends early then, between two pieces of its work. */
  get isStopped(): boolean {
    return this.stopped;
  }

  /** Resolves when the round under way is done. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.wakeUp();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      this.nudged = false;
      const more = await this.round();
      // Whoever nudges during a round may have come too late for it.
      if (!more && !this.nudged && !this.stopped) await this.rest();
    }
  }

  private async rest(): Promise<void> {
    this.resting = true;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.pollMs);
      this.wakeUp = () => {
        // Whoever nudges from now on means another one.
        this.resting = false;
        clearTimeout(timer);
        resolve();
      };
    });
    this.resting = false;
  }
}

/** Work in loops that start, look and stop together. */
export abstract class LoopedWork {
  private readonly loops: WorkLoop[];

  /** `pollMs`: how long each of them rests when nobody nudges. */
  constructor(count: number, pollMs: number) {
    this.loops = Array.from({ length: count }, () => new WorkLoop(() => this.turn(), pollMs));
  }

  start(): void {
    for (const loop of this.loops) loop.start();
  }

  /** There may be work. A loop that rests looks at once, while the others go on. */
  nudge(): void {
    (this.loops.find(({ isResting }) => isResting) ?? this.loops[0])?.nudge();
  }

  async stop(): Promise<void> {
    await Promise.all(this.loops.map((loop) => loop.stop()));
  }

  /** One turn of a loop; true: there may be more. Must not reject. */
  protected abstract turn(): Promise<boolean>;

  protected get isStopped(): boolean {
    return this.loops.some(({ isStopped }) => isStopped);
  }
}
