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
