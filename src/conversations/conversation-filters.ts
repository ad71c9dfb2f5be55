// The filters of lists of conversations. One entry holds all of a filter: how it is asked for, and its condition.
import { z } from 'zod';
import type { Caller } from '../access/caller.js';
import type { ClientScope } from '../database/with-scope.js';
import { oneOrMore } from '../http/api-response.js';
import { idInput, timeInput } from '../http/id-schema.js';
import { providerName } from '../providers/providers.js';

interface Filter {
  /** The query parameter: optional, and once parsed what `condition` compares with. */
  query: z.ZodType;
  /** Over `conversations c`; `parameter` stands for the value. Joined by AND. */
  condition: (parameter: string) => string;
}

/** Of every list. */
const OF_ALL = {
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

/** Not of what is live now. */
const OF_HISTORY = {
  start_time_from: {
    query: timeInput.optional().meta({ description: 'Inclusive' }),
    condition: (parameter) => `c.start_time >= ${parameter}`,
  },
  start_time_to: {
    query: timeInput.optional().meta({ description: 'Exclusive' }),
    condition: (parameter) => `c.start_time < ${parameter}`,
  },
} satisfies Record<string, Filter>;

const FILTERS: [name: string, filter: Filter][] = Object.entries({ ...OF_ALL, ...OF_HISTORY });

type Queries<Filters extends Record<string, Filter>> = { [Name in keyof Filters]: Filters[Name]['query'] };

const queriesOf = <Filters extends Record<string, Filter>>(filters: Filters): Queries<Filters> =>
  Object.fromEntries(Object.entries(filters).map(([name, { query }]) => [name, query])) as Queries<Filters>;

/** The query parameters of the list of what is live. The client is no condition like others: see {@link clientsOf}. */
export const liveFilters = { client_id: oneOrMore(idInput('client')).optional(), ...queriesOf(OF_ALL) };

/** The query parameters of the list of all conversations. */
export const listFilters = { ...liveFilters, ...queriesOf(OF_HISTORY) };

/** What is asked for, parsed. */
export type ConversationFilter = z.output<z.ZodObject<typeof listFilters>>;

/** Conditions joined by AND, and the values of their parameters. */
export class Where {
  readonly values: unknown[] = [];
  private readonly conditions: string[] = ["c.record_state not in ('erasing', 'erased')"];

  /** A condition on one value; none when the value is not given, so that each shape of a statement has its plan. */
  add(condition: Filter['condition'], value: unknown): void {
    if (value !== undefined) this.addAll(([parameter = '']) => condition(parameter), [value]);
  }

  /** A condition on several values. */
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
export function clientsOf({ clients: visible }: Caller, { client_id: wanted }: ConversationFilter): ClientScope {
  if (wanted === undefined) return visible;
  const once = [...new Set(wanted)];
  return visible === 'all' ? once : once.filter((id) => visible.includes(id));
}

/** For one client `=`: only so is the index over its conversations also read in the order of their times. */
export function addClients(where: Where, clients: ClientScope): void {
  if (clients === 'all') return;
  const [only] = clients;
  if (clients.length === 1) where.add((p) => `c.client_id = ${p}::uuid`, only);
  else where.add((p) => `c.client_id = any(${p}::uuid[])`, clients);
}

/** Everything that is asked for but the client. */
export function addFilters(where: Where, filter: ConversationFilter): void {
  const given: Record<string, unknown> = filter;
  for (const [name, { condition }] of FILTERS) where.add(condition, given[name]);
}

/** All that a caller asks for, among the clients that it may see. */
export function whereOf(caller: Caller, filter: ConversationFilter): Where {
  const where = new Where();
  addClients(where, clientsOf(caller, filter));
  addFilters(where, filter);
  return where;
}
