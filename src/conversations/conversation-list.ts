// Lists: keyset pages, newest start first. Predicates only for the filters that are given, so that each shape has its plan.
import type { Caller } from '../access/caller.js';
import type { CursorValue } from '../http/cursor.js';
import type { ClientScope, Statement, Transaction } from '../database/with-scope.js';
import { columns, type ConversationRow } from './conversation-row.js';

export interface ConversationFilter {
  client_id?: string[] | undefined;
  agent_id?: string[] | undefined;
  provider?: string[] | undefined;
  provider_account_id?: string[] | undefined;
  status?: string[] | undefined;
  start_time_from?: Date | undefined;
  start_time_to?: Date | undefined;
}

export interface Page {
  filter: ConversationFilter;
  sort: '-start_time' | 'start_time';
  limit: number;
  /** Sort value and id of the last row before, or null for the first page. */
  after: CursorValue[] | null;
}

class Where {
  readonly values: unknown[] = [];
  private readonly conditions: string[] = ["c.record_state not in ('erasing', 'erased')"];

  /** A condition on one value; none when the value is not given. */
  add(condition: (parameter: string) => string, value: unknown): void {
    if (value !== undefined) this.addAll(([parameter = '']) => condition(parameter), [value]);
  }

  addAll(condition: (parameters: string[]) => string, values: unknown[]): void {
    const first = this.values.length + 1;
    this.values.push(...values);
    this.conditions.push(condition(values.map((_, index) => `$${first + index}`)));
  }

  get text(): string {
    return this.conditions.join(' and ');
  }
}

/** The clients whose conversations are wanted and may be seen: the first lock; row-level security is the second. */
function clientsOf({ clients: visible }: Caller, { client_id: wanted }: ConversationFilter): ClientScope {
  if (wanted === undefined) return visible;
  const once = [...new Set(wanted)];
  return visible === 'all' ? once : once.filter((id) => visible.includes(id));
}

/** For one client `=`: only so is the index over its conversations also read in the order of their times. */
function ofClients(where: Where, clients: ClientScope): void {
  if (clients === 'all') return;
  const [only] = clients;
  if (clients.length === 1) where.add((p) => `c.client_id = ${p}::uuid`, only);
  else where.add((p) => `c.client_id = any(${p}::uuid[])`, clients);
}

/** Everything but the client. */
function filtered(where: Where, filter: ConversationFilter): Where {
  where.add((p) => `c.agent_id = any(${p}::uuid[])`, filter.agent_id);
  where.add((p) => `c.provider = any(${p}::text[])`, filter.provider);
  where.add((p) => `c.provider_account_id = any(${p}::uuid[])`, filter.provider_account_id);
  where.add((p) => `c.status = any(${p}::text[])`, filter.status);
  where.add((p) => `c.start_time >= ${p}`, filter.start_time_from);
  where.add((p) => `c.start_time < ${p}`, filter.start_time_to);
  return where;
}

function whereOf(caller: Caller, filter: ConversationFilter): Where {
  const where = new Where();
  ofClients(where, clientsOf(caller, filter));
  return filtered(where, filter);
}

/** Up to `limit` + 1 rows: the one too many says that there is more. */
export function findPage(tx: Transaction, caller: Caller, page: Page, header: boolean): Promise<ConversationRow[]> {
  return tx.query<ConversationRow>(pageStatement(caller, page, header));
}

/**
 * Reads at most `limit` + 1 rows of each client, by an index in the order of the list: of several clients, each of them by
 * itself, merged.
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
  else ofClients(where, clients);
  filtered(where, filter);
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

/** What is live now, newest first, up to {@link ACTIVE_LIMIT} + 1 rows: the one too many says that there is more. */
export function findActive(tx: Transaction, caller: Caller, filter: ConversationFilter): Promise<ConversationRow[]> {
  const where = whereOf(caller, filter);
  const text = `select ${columns({ header: false })} from conversations c where ${LIVE} and ${where.text}
    order by c.start_time desc, c.id desc limit ${ACTIVE_LIMIT + 1}`;
  return tx.query<ConversationRow>({ text, values: where.values });
}

/** Above this, counting costs more than the number is worth. */
const EXACT_UP_TO = 10_000;

export interface Total {
  value: number;
  exact: boolean;
}

/** How many rows the filter has: counted up to 10,000, the planner's estimate above. */
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
