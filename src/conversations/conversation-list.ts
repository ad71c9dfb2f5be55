// Statements of conversation lists: keyset pages, live conversations, counts.
import type { Caller } from '../access/caller.js';
import type { CursorValue } from '../http/cursor.js';
import type { Statement, Transaction } from '../database/with-scope.js';
import { addClients, addFilters, clientsOf, Where, whereOf, type ConversationFilter } from './conversation-filters.js';
import { columns, type ConversationRow } from './conversation-row.js';

export interface Page {
  filter: ConversationFilter;
  sort: '-start_time' | 'start_time';
  limit: number;
  /** Sort value and id of the last row of the previous page; null for the first page. */
  after: CursorValue[] | null;
}

/** Up to `limit` + 1 rows: one extra row shows that there are more. */
export function findPage(tx: Transaction, caller: Caller, page: Page, header: boolean): Promise<ConversationRow[]> {
  return tx.query<ConversationRow>(pageStatement(caller, page, header));
}

/**
 * Reads at most `limit` + 1 rows of each client, in list order from an index. For several clients, a lateral join reads each
 * one separately, and the results are merged.
 */
export function pageStatement(
  caller: Caller,
  { filter, sort, limit, after }: Page,
  header: boolean,
): Statement & { values: unknown[] } {
  const clients = clientsOf(caller, filter);
  const isMerged = clients !== 'all' && clients.length > 1;
  const where = new Where();
  if (isMerged) where.values.push(clients);
  else addClients(where, clients);
  addFilters(where, filter);
  const [comparison, direction] = sort === 'start_time' ? ['>', 'asc'] : ['<', 'desc'];
  if (after !== null) {
    where.addAll(([time, id]) => `(c.start_time, c.id) ${comparison} (${time}::timestamptz, ${id}::uuid)`, after);
  }
  const ordered = `order by c.start_time ${direction}, c.id ${direction} limit ${limit + 1}`;
  if (!isMerged)
    return {
      text: `select ${columns({ header })} from conversations c where ${where.text} ${ordered}`,
      values: where.values,
    };
  const text = `select ${columns({ header })}
    from unnest($1::uuid[]) as k(client_id)
    cross join lateral (select * from conversations c where c.client_id = k.client_id and ${where.text} ${ordered}) c ${ordered}`;
  return { text, values: where.values };
}

const LIVE = "c.status in ('ringing', 'active', 'transferring')";
export const ACTIVE_LIMIT = 1_000;

/** Live conversations, newest first, up to {@link ACTIVE_LIMIT} + 1 rows: one extra row shows that there are more. */
export function findActive(tx: Transaction, caller: Caller, filter: ConversationFilter): Promise<ConversationRow[]> {
  const where = whereOf(caller, filter);
  const text = `select ${columns({ header: false })} from conversations c where ${LIVE} and ${where.text}
    order by c.start_time desc, c.id desc limit ${ACTIVE_LIMIT + 1}`;
  return tx.query<ConversationRow>({ text, values: where.values });
}

/** Counting more rows would cost more than an exact number is worth. */
const EXACT_UP_TO = 10_000;

export interface Total {
  value: number;
  exact: boolean;
}

/** How many rows match: exact up to 10,000, above that the planner's estimate. */
export async function countTotal(tx: Transaction, caller: Caller, filter: ConversationFilter): Promise<Total> {
  const where = whereOf(caller, filter);
  const from = `from conversations c where ${where.text}`;
  const counting = `select count(*)::integer as n from (select 1 ${from} limit ${EXACT_UP_TO + 1}) as counted`;
  const [counted] = await tx.query<{ n: number }>({ text: counting, values: where.values });
  if (counted !== undefined && counted.n <= EXACT_UP_TO) return { value: counted.n, exact: true };
  const [plan] = await tx.query<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>({
    text: `explain (format json) select 1 ${from}`,
    values: where.values,
  });
  return { value: Math.max(EXACT_UP_TO + 1, plan?.['QUERY PLAN'][0].Plan['Plan Rows'] ?? 0), exact: false };
}
