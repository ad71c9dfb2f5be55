// Which traces brought these facts: where the spans of their applying hang on.
import { isTracing } from '../observability/tracing.js';
import type { Transaction } from '../database/with-scope.js';

export interface Origin {
  /** The oldest fact's; absent: none of them was traced. */
  parent?: string;
  /** Those of the others. */
  links: string[];
}

/** Asks Postgres only when this process traces. */
export async function originOf(tx: Transaction, factIds: string[]): Promise<Origin> {
  if (!isTracing()) return { links: [] };
  const rows = await tx.query<{ traceparent: string }>({
    name: 'origin',
    text: 'select traceparent from inbox where id = any($1::uuid[]) and traceparent is not null order by received_at, id',
    values: [factIds],
  });
  const [parent, ...links] = rows.map(({ traceparent }) => traceparent);
  return { ...(parent !== undefined && { parent }), links };
}
