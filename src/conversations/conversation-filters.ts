// Filters of conversation lists. Each entry defines a filter completely: its query parameter and its SQL condition.
import { z } from 'zod';
import type { Caller } from '../access/caller.js';
import type { ClientScope } from '../database/with-scope.js';
import { oneOrMore } from '../http/api-response.js';
import { idInput, timeInput } from '../http/id-schema.js';
import { providerName } from '../providers/providers.js';

interface Filter {
  /** The optional query parameter; `condition` compares with its parsed value. */
  query: z.ZodType;
  /** SQL over `conversations c`, with `parameter` for the value. Conditions are joined by AND. */
  condition: (parameter: string) => string;
}

/** Filters of every list. */
const COMMON_FILTERS = {
  agent_id: {
    query: oneOrMore(idInput('agent')).optional(),
    condition: (parameter) => `c.agent_id = any(${parameter}::uuid[])`,
  },
  provider: {
    query: oneOrMore(providerName).optional(),
    condition: (parameter) => `c.provider = any(${parameter}::text[])`,
  },
  provider_account_id: {
    query: oneOrMore(idInput('providerAccount')).optional(),
    condition: (parameter) => `c.provider_account_id = any(${parameter}::uuid[])`,
  },
  status: {
    query: oneOrMore(z.enum(['ringing', 'active', 'transferring', 'completed', 'failed'])).optional(),
    condition: (parameter) => `c.status = any(${parameter}::text[])`,
  },
} satisfies Record<string, Filter>;

/** Filters of all lists but that of live conversations. */
const TIME_FILTERS = {
  start_time_from: {
    query: timeInput.optional().meta({ description: 'Inclusive' }),
    condition: (parameter) => `c.start_time >= ${parameter}`,
  },
  start_time_to: {
    query: timeInput.optional().meta({ description: 'Exclusive' }),
    condition: (parameter) => `c.start_time < ${parameter}`,
  },
} satisfies Record<string, Filter>;

const FILTERS: [name: string, filter: Filter][] = Object.entries({ ...COMMON_FILTERS, ...TIME_FILTERS });

type Queries<Filters extends Record<string, Filter>> = { [Name in keyof Filters]: Filters[Name]['query'] };

const queriesOf = <Filters extends Record<string, Filter>>(filters: Filters): Queries<Filters> =>
  Object.fromEntries(Object.entries(filters).map(([name, { query }]) => [name, query])) as Queries<Filters>;

/** Query parameters of the list of live conversations. `client_id` is handled apart: see {@link clientsOf}. */
export const liveFilters = { client_id: oneOrMore(idInput('client')).optional(), ...queriesOf(COMMON_FILTERS) };

/** Query parameters of the list of all conversations. */
export const listFilters = { ...liveFilters, ...queriesOf(TIME_FILTERS) };

/** The parsed filters of a request. */
export type ConversationFilter = z.output<z.ZodObject<typeof listFilters>>;

/** Collects SQL conditions, joined by AND, and the values of their parameters. */
export class Where {
  readonly values: unknown[] = [];
  private readonly conditions: string[] = ["c.record_state not in ('erasing', 'erased')"];

  /** Adds a condition on one value. Does nothing for undefined, so that each combination of filters has its own plan. */
  add(condition: Filter['condition'], value: unknown): void {
    if (value !== undefined) this.addAll(([parameter = '']) => condition(parameter), [value]);
  }

  /** Adds a condition on several values. */
  addAll(condition: (parameters: string[]) => string, values: unknown[]): void {
    const first = this.values.length + 1;
    this.values.push(...values);
    this.conditions.push(condition(values.map((_, index) => `$${first + index}`)));
  }

  get text(): string {
    return this.conditions.join(' and ');
  }
}

/** The requested clients that the caller may see: the first barrier; row-level security is the second. */
export function clientsOf({ clients: visible }: Caller, { client_id: requested }: ConversationFilter): ClientScope {
  if (requested === undefined) return visible;
  const ids = [...new Set(requested)];
  return visible === 'all' ? ids : ids.filter((id) => visible.includes(id));
}

/** For a single client `=`: only then can the index also deliver its conversations in time order. */
export function addClients(where: Where, clients: ClientScope): void {
  if (clients === 'all') return;
  const [only] = clients;
  if (clients.length === 1) where.add((p) => `c.client_id = ${p}::uuid`, only);
  else where.add((p) => `c.client_id = any(${p}::uuid[])`, clients);
}

/** Adds all filters except the client. */
export function addFilters(where: Where, filter: ConversationFilter): void {
  const given: Record<string, unknown> = filter;
  for (const [name, { condition }] of FILTERS) where.add(condition, given[name]);
}

/** All filters of a request, within the clients that the caller may see. */
export function whereOf(caller: Caller, filter: ConversationFilter): Where {
  const where = new Where();
  addClients(where, clientsOf(caller, filter));
  addFilters(where, filter);
  return where;
}
