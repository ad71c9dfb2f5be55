// A circuit breaker for the object store: after several failures in a row it pauses, then admits one attempt at a time. Pure.

/** Consecutive failures before the breaker opens. */
const TOLERATED = 3;
const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;

export class StoreBreaker {
  private failures = 0;
  private retryAt = -Infinity;
  private probing = false;

  constructor(private readonly now: () => number = Date.now) {}

  /** Whether an attempt may begin. If so, report its outcome with one of the methods below. */
  admit(): boolean {
    if (this.failures < TOLERATED) return true;
    if (this.probing || this.now() < this.retryAt) return false;
    this.probing = true;
    return true;
  }

  succeeded(): void {
    this.failures = 0;
    this.probing = false;
  }

  failed(): void {
    this.failures += 1;
    this.probing = false;
    const beyond = this.failures - TOLERATED;
    if (beyond >= 0) this.retryAt = this.now() + Math.min(LONGEST_MS, FIRST_MS * 2 ** beyond);
  }

  /** Nothing had to be stored. */
  unused(): void {
    this.probing = false;
  }
}
