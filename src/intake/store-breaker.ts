// Keeps away from a store that keeps failing: after some failures in a row nothing is sent for a while, then one try at a time. Pure.

/** Failures in a row, whatever they were about. */
const TOLERATED = 3;
const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;

export class StoreBreaker {
  private failures = 0;
  private closedAgainAt = -Infinity;
  private trying = false;

  constructor(private readonly now: () => number = Date.now) {}

  /** May a try begin? Whoever gets true says how it went. */
  admit(): boolean {
    if (this.failures < TOLERATED) return true;
    if (this.trying || this.now() < this.closedAgainAt) return false;
    this.trying = true;
    return true;
  }

  succeeded(): void {
    this.failures = 0;
    this.trying = false;
  }

  failed(): void {
    this.failures += 1;
    this.trying = false;
    const beyond = this.failures - TOLERATED;
    if (beyond >= 0) this.closedAgainAt = this.now() + Math.min(LONGEST_MS, FIRST_MS * 2 ** beyond);
  }

  /** It was no try after all: there was nothing to store. */
  withdrawn(): void {
    this.trying = false;
  }
}
