// The loop behind intake, relays and pollers: works in rounds, sleeps when there is nothing to do, and can be nudged awake.

/** Runs `round` again and again until stopped. */
export class WorkLoop {
  private stopped = false;
  private nudged = false;
  private idle = false;
  private wakeUp: () => void = () => undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(
    /** One round. Resolves with true if there may be more work, so that the next one follows at once. Must not reject. */
    private readonly round: () => Promise<boolean>,
    /** Milliseconds that it sleeps unless nudged. */
    private readonly pollMs: number,
  ) {}

  /** It has found no work and sleeps. */
  get isIdle(): boolean {
    return this.idle;
  }

  start(): void {
    this.running = this.run();
  }

  /** There may be work: start a round now instead of at the next poll. */
  nudge(): void {
    this.nudged = true;
    this.wakeUp();
  }

  /** Long rounds check this between two pieces of work, and end early. */
  get isStopped(): boolean {
    return this.stopped;
  }

  /** Resolves when the current round is done. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.wakeUp();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      this.nudged = false;
      const more = await this.round();
      // A nudge during the round may concern work that the round did not see.
      if (!more && !this.nudged && !this.stopped) await this.sleep();
    }
  }

  private async sleep(): Promise<void> {
    this.idle = true;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.pollMs);
      this.wakeUp = () => {
        // From now on, LoopedWork.nudge() wakes another loop.
        this.idle = false;
        clearTimeout(timer);
        resolve();
      };
    });
    this.idle = false;
  }
}

/** Work that is done by several loops, which start and stop together. */
export abstract class LoopedWork {
  private readonly loops: WorkLoop[];

  /** `pollMs`: milliseconds that each loop sleeps unless nudged. */
  constructor(count: number, pollMs: number) {
    this.loops = Array.from({ length: count }, () => new WorkLoop(() => this.runRound(), pollMs));
  }

  start(): void {
    for (const loop of this.loops) loop.start();
  }

  /** There may be work: wakes an idle loop, if there is one. */
  nudge(): void {
    (this.loops.find(({ isIdle }) => isIdle) ?? this.loops[0])?.nudge();
  }

  async stop(): Promise<void> {
    await Promise.all(this.loops.map((loop) => loop.stop()));
  }

  /** One round of a loop. Resolves with true if there may be more work. Must not reject. */
  protected abstract runRound(): Promise<boolean>;

  protected get isStopped(): boolean {
    return this.loops.some(({ isStopped }) => isStopped);
  }
}
