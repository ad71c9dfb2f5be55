/** One periodic clean-up task of the worker. */
export interface MaintenanceTask {
  /** For the log. */
  readonly name: string;
  /** Runs once; may run again at any time, also in several workers at once. Resolves with counts by name, for the log. */
  run(now: Date): Promise<Record<string, number>>;
}

/** Statement timeout, milliseconds. Nobody waits for these statements, and an hour's rows may be many. */
export const STATEMENT_MS = 120_000;

export const DAY_MS = 86_400_000;
