// Converts grants between the form of a request and that of a row.
import { AppError } from '../common/errors.js';
import { requireClients } from '../access/admin.js';
import type { ApiKeyInput } from './api-key.schema.js';
import type { Caller } from '../access/caller.js';
import type { Grant } from './grant.js';

export type GrantInput = Omit<ApiKeyInput, 'name' | 'expires_at'> & Pick<Grant, 'expires_at'>;

/** Throws `not_found` (a client that the caller may not see), `forbidden` (`*` by a key for some clients). */
export function grantOf(caller: Caller, { role, client_ids: clientIds, scopes, expires_at }: GrantInput): Grant {
  const common = { role, scopes: [...new Set(scopes)], expires_at };
  if (clientIds !== '*') {
    requireClients(caller, clientIds);
    return { ...common, all_clients: false, client_ids: [...new Set(clientIds)] };
  }
  if (caller.clients !== 'all') throw new AppError('forbidden', 'only a key for all clients may create another one');
  return { ...common, all_clients: true, client_ids: [] };
}

export const inputOf = (row: Grant): GrantInput => ({
  role: row.role,
  client_ids: row.all_clients ? '*' : row.client_ids,
  // Validated when they were stored.
  scopes: row.scopes as GrantInput['scopes'],
  expires_at: row.expires_at,
});

/** A key may change its own name and make its own expiry earlier, nothing else. Throws `forbidden`. */
export function requireOwnChange(changes: readonly string[], widens: boolean): void {
  const isOwn = changes.every((field) => field === 'name' || field === 'expires_at');
  if (!isOwn || widens) {
    throw new AppError('forbidden', 'a key cannot change its own role, scopes or clients, nor extend its own lifetime');
  }
}
