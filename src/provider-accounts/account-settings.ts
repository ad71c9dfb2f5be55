// What a request changes about an account. Pure.
import { changedFields } from '../access/admin.js';
import { mayAccess, type Caller } from '../access/caller.js';
import { AppError } from '../common/errors.js';
import type { AccountSecrets, Deadlines } from '../providers/provider-accounts.js';
import type { ProviderAccountPatch } from './provider-account.schema.js';

/** Everything about an account that may change, sealed or not. */
export interface AccountSettings extends AccountSecrets {
  backfill_days: number;
  poll_active_seconds: number | null;
  /** Own deadlines only; the rest are defaults. */
  deadlines: Partial<Deadlines>;
}

export const NO_SETTINGS: Omit<AccountSettings, 'name' | 'api_key'> = {
  webhook_secret: null,
  base_url: null,
  agent_clients: [],
  backfill_days: 30,
  poll_active_seconds: null,
  deadlines: {},
};

/** The settings after a merge patch, and the names of what changed. Throws `conflict`; see {@link mergedAgents}. */
export function patched(
  caller: Caller,
  before: AccountSettings,
  patch: ProviderAccountPatch,
): { settings: AccountSettings; changes: string[] } {
  const { deadlines, agent_clients: agents, ...rest } = patch;
  const flat: Partial<AccountSettings> = {
    ...rest,
    ...(deadlines !== undefined && { deadlines: mergedDeadlines(before.deadlines, deadlines) }),
    ...(agents !== undefined && { agent_clients: mergedAgents(caller, before.agent_clients, agents) }),
  };
  return { settings: { ...before, ...flat }, changes: changedFields(before, flat) };
}

/** Whether requests, and with them the API key, go to another origin than before; a path may change freely. */
export const isMoved = (before: AccountSettings, { base_url: to }: ProviderAccountPatch): boolean =>
  to !== undefined && originOf(to) !== originOf(before.base_url);

/** Null: the provider's own. */
const originOf = (baseUrl: string | null): string | null => (baseUrl === null ? null : new URL(baseUrl).origin);

/** Whoever may change an account must not learn its key: a new origin takes a key with it. Throws `invalid_request`. */
export function requireKeyForMove(before: AccountSettings, patch: ProviderAccountPatch): void {
  if (!isMoved(before, patch) || patch.api_key !== undefined) return;
  throw new AppError('invalid_request', 'another base_url needs the api_key that is to be sent there', {
    errors: [{ pointer: '/api_key', detail: 'must be given together with a base_url of another origin' }],
  });
}

function mergedDeadlines(
  before: Partial<Deadlines>,
  patch: NonNullable<ProviderAccountPatch['deadlines']>,
): Partial<Deadlines> {
  const all = { ...before, ...patch };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null && value !== undefined));
}

/** Entries of clients that the caller does not see stay as they are. Throws `conflict` when one of them names the same agent. */
function mergedAgents(
  caller: Caller,
  before: AccountSettings['agent_clients'],
  entries: AccountSettings['agent_clients'],
): AccountSettings['agent_clients'] {
  const hidden = before.filter((entry) => !mayAccess(caller, entry.client_id));
  const taken = new Set(hidden.map((entry) => entry.provider_agent_id));
  if (entries.some((entry) => taken.has(entry.provider_agent_id))) {
    throw new AppError('conflict', 'an agent of agent_clients belongs elsewhere', {
      errors: [{ pointer: '/agent_clients', detail: 'names an agent that cannot be given away with this key' }],
    });
  }
  return [...hidden, ...entries];
}
