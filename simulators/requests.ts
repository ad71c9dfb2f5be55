// The requests to a simulated provider, for assertions: the latest ones, and how often each record was read.
import type { Operation } from './http.js';

const LOG_LIMIT = 20_000;

/** One request, in order of arrival; `status` is 0 until the response, and stays 0 when the request was cut off. */
export interface LoggedRequest {
  method: string;
  path: string;
  status: number;
  /** Epoch milliseconds. */
  atMs: number;
}

/** Counts by operation. `repeated`: ids that were requested more than once, with their counts. */
export interface RequestSummary {
  operations: Record<string, { requests: number; records: number; repeated: Record<string, number> }>;
}

/** The log keeps the latest 20,000 requests; the counts cover all successful ones. */
export class Requests {
  readonly log: LoggedRequest[] = [];
  private readonly counts = new Map<Operation, Map<string, number>>();
  private readonly totals = new Map<Operation, number>();

  arrived(method: string, path: string, atMs: number): LoggedRequest {
    const entry: LoggedRequest = { method, path, status: 0, atMs };
    if (this.log.push(entry) > LOG_LIMIT) this.log.shift();
    return entry;
  }

  answered(operation: Operation, id: string | undefined): void {
    this.totals.set(operation, this.total(operation) + 1);
    if (id === undefined) return;
    const byId = this.counts.get(operation) ?? new Map<string, number>();
    this.counts.set(operation, byId.set(id, (byId.get(id) ?? 0) + 1));
  }

  /** How many requests of an operation succeeded. */
  total(operation: Operation): number {
    return this.totals.get(operation) ?? 0;
  }

  /** How many successful requests concerned one record; HEAD counts like GET. */
  of(operation: Operation, id: string): number {
    return this.counts.get(operation)?.get(id) ?? 0;
  }

  /** The requested records with their counts. */
  byRecord(operation: Operation): ReadonlyMap<string, number> {
    return this.counts.get(operation) ?? new Map<string, number>();
  }

  summary(): RequestSummary {
    const operations = Array.from(this.totals, ([operation, requests]) => {
      const byId = [...this.byRecord(operation)];
      return [
        operation,
        { requests, records: byId.length, repeated: Object.fromEntries(byId.filter(([, n]) => n > 1)) },
      ];
    });
    return { operations: Object.fromEntries(operations) as RequestSummary['operations'] };
  }
}
