// The traces in which facts were received: parent context of the apply spans.
import { isTracing } from '../observability/tracing.js';
import type { Transaction } from '../database/with-scope.js';

export interface TraceContext {
  /** Trace of the oldest traced fact; null: none was traced. */
  parent: string | null;
  /** Traces of the others. */
  links: string[];
}

const TRACES = 'select id, traceparent from inbox where id = any($1::uuid[]) and traceparent is not null';

/** traceparent by fact id. Queries PostgreSQL only if tracing is on. */
export async function tracesOf(tx: Transaction, factIds: string[]): Promise<Map<string, string>> {
  if (!isTracing() || factIds.length === 0) return new Map();
  const rows = await tx.query<{ id: string; traceparent: string }>({ name: 'traces', text: TRACES, values: [factIds] });
  return new Map(rows.map(({ id, traceparent }) => [id, traceparent]));
}

/** From traceparents in order of receipt; null: not traced. */
export function traceContextOf(traces: (string | null)[]): TraceContext {
  const [parent = null, ...links] = traces.filter((trace) => trace !== null);
  return { parent, links };
}
