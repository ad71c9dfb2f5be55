// Which traces brought these facts: where the spans of their applying hang on.
import { isTracing } from '../observability/tracing.js';
import type { Transaction } from '../database/with-scope.js';

export interface Origin {
  /** The oldest fact's; null: none of them was traced. */
  parent: string | null;
  /** Those of the others. */
  links: string[];
}

const TRACES = 'select id, traceparent from inbox where id = any($1::uuid[]) and traceparent is not null';

/** Fact → its trace. Asks Postgres only when this process traces. */
export async function tracesOf(tx: Transaction, factIds: string[]): Promise<Map<string, string>> {
  if (!isTracing() || factIds.length === 0) return new Map();
  const rows = await tx.query<{ id: string; traceparent: string }>({ name: 'origin', text: TRACES, values: [factIds] });
  return new Map(rows.map(({ id, traceparent }) => [id, traceparent]));
}

/** Of traces in order of receipt; null: not traced. */
export function originOf(traces: (string | null)[]): Origin {
  const [parent = null, ...links] = traces.filter((trace) => trace !== null);
  return { parent, links };
}
