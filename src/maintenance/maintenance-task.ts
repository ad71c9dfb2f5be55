/** One thing that a worker tidies up. */
export interface MaintenanceTask {
  /** For the log. */
  readonly name: string;
  /** Runs once; may run again at any moment, in several workers at once. Resolves with what it did, by name, for the log. */
  run(now: Date): Promise<Record<string, number>>;
}

/** Nobody waits for these statements; an hour's worth of rows may be many. Milliseconds. */
export const STATEMENT_MS = 120_000;

export const DAY_MS = 86_400_000;
