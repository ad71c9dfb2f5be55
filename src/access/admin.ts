// Shared by the services that manage clients, agents, accounts and keys: their scope, checks and input text.
import { z } from 'zod';
import { AppError } from '../common/errors.js';
import type { ClientScope, Transaction } from '../database/with-scope.js';
import { SYSTEM_CLIENT } from '../vault/vault.service.js';
import { mayAccess, clientFilterOf, type Caller } from './caller.js';

/** The caller's clients, and the system client, whose journal records changes of keys and accounts. */
export const adminScope = ({ clients }: Caller): ClientScope =>
  clients === 'all' ? 'all' : [...clients, SYSTEM_CLIENT];

/** A display name. Without control characters, which would break the logs and tables of consumers. */
export const nameText = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}]*$/u, 'must not have control characters');

export const unknownObject = (what: string): AppError => new AppError('not_found', `there is no such ${what}`);

/** Throws `not_found` for a client that the key may not see, as if it did not exist. */
export function requireClients(caller: Caller, clientIds: readonly string[]): void {
  if (!clientIds.every((id) => mayAccess(caller, id))) throw unknownObject('client');
}

const CLIENTS_EXIST = `
select count(*)::integer as found from clients where ($1::uuid[] is null or id = any($1::uuid[])) and id = any($2::uuid[])`;

/** Throws `not_found` unless every client exists and the key may see it. */
export async function requireExisting(tx: Transaction, caller: Caller, clientIds: readonly string[]): Promise<void> {
  const ids = [...new Set(clientIds)];
  if (ids.length === 0) return;
  const [row] = await tx.query<{ found: number }>({ text: CLIENTS_EXIST, values: [clientFilterOf(caller), ids] });
  if (row?.found !== ids.length) throw unknownObject('client');
}

/** Names of the fields of `patch` that differ from `before`. */
export const changedFields = <Value extends object>(before: Value, patch: Partial<Value>): (keyof Value & string)[] =>
  Object.entries(patch)
    .filter(([name, value]) => value !== undefined && !isSame(value, before[name as keyof Value]))
    .map(([name]) => name as keyof Value & string);

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
