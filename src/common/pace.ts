// Limits how often something is done.

/** At most `perSecond` times in any second, in bursts of a fifth of that. */
export class Pace {
  private readonly burst: number;
  private readonly refillPerMs: number;
  private left: number;
  private refilledAt = performance.now();

  constructor(perSecond: number) {
    this.burst = Math.max(1, Math.floor(perSecond / 5));
    this.refillPerMs = (perSecond - this.burst) / 1000;
    this.left = this.burst;
  }

  /** Resolves when it may be done once. */
  async take(): Promise<void> {
    for (;;) {
      this.refill();
      if (this.left >= 1) {
        this.left -= 1;
        return;
      }
      const waitMs = Math.ceil((1 - this.left) / this.refillPerMs);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }

  /** It was not done after all. */
  giveBack(): void {
    this.left = Math.min(this.burst, this.left + 1);
  }

  private refill(): void {
    const now = performance.now();
    this.left = Math.min(this.burst, this.left + (now - this.refilledAt) * this.refillPerMs);
    this.refilledAt = now;
  }
}
