// Merges a request into the settings of an account. Pure.
import { changedFields } from '../access/admin.js';
import { mayAccess, type Caller } from '../access/caller.js';
import { AppError } from '../common/errors.js';
import type { AccountSecrets, Deadlines } from '../providers/provider-accounts.js';
import type { ProviderAccountPatch } from './provider-account.schema.js';

/** Everything about an account that can be changed, sealed or not. */
export interface AccountSettings extends AccountSecrets {
  backfill_days: number;
  poll_active_seconds: number | null;
  /** Deadlines that were set; defaults apply to the rest. */
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

/** The settings after a merge patch, and the names of the changed fields. Throws `conflict`; see {@link mergedAgents}. */
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

/** Whether requests, and with them the API key, will go to another origin. A new path on the same origin does not count. */
export const changesOrigin = (before: AccountSettings, { base_url: to }: ProviderAccountPatch): boolean =>
  to !== undefined && originOf(to) !== originOf(before.base_url);

/** Null: the provider's own address. */
const originOf = (baseUrl: string | null): string | null => (baseUrl === null ? null : new URL(baseUrl).origin);

/**
 * A new origin needs the API key in the same request, or whoever may change an account could send its key to a server of their
 * own. Throws `invalid_request`.
 */
export function requireKeyForNewOrigin(before: AccountSettings, patch: ProviderAccountPatch): void {
  if (!changesOrigin(before, patch) || patch.api_key !== undefined) return;
  throw new AppError('invalid_request', 'a base_url of another origin needs the api_key in the same request', {
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

/** Keeps entries of clients that the caller may not access. Throws `conflict` if one of them names the same agent. */
function mergedAgents(
  caller: Caller,
  before: AccountSettings['agent_clients'],
  entries: AccountSettings['agent_clients'],
): AccountSettings['agent_clients'] {
  const hidden = before.filter((entry) => !mayAccess(caller, entry.client_id));
  const taken = new Set(hidden.map((entry) => entry.provider_agent_id));
  if (entries.some((entry) => taken.has(entry.provider_agent_id))) {
    throw new AppError('conflict', 'an agent in agent_clients already belongs to another client', {
      errors: [{ pointer: '/agent_clients', detail: 'names an agent that this key cannot reassign' }],
    });
  }
  return [...hidden, ...entries];
}
