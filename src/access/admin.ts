// What the administration's services share: their scope, their refusals, and text as people may enter it.
import { z } from 'zod';
import { AppError } from '../common/errors.js';
import type { ClientScope, Transaction } from '../database/with-scope.js';
import { SYSTEM_CLIENT } from '../vault/vault.service.js';
import { mayAccess, reachOf, type Caller } from './caller.js';

/** The caller's clients and the system's log, to which changes of keys and accounts are told. */
export const adminScope = ({ clients }: Caller): ClientScope =>
  clients === 'all' ? 'all' : [...clients, SYSTEM_CLIENT];

/** A name that people give. Control characters would break logs and tables of whoever shows it. */
export const nameText = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}]*$/u, 'must not have control characters');

export const unknownObject = (what: string): AppError => new AppError('not_found', `there is no such ${what}`);

/** Refuses clients outside of the key's as if they did not exist. Throws `not_found`. */
export function requireClients(caller: Caller, clientIds: readonly string[]): void {
  if (!clientIds.every((id) => mayAccess(caller, id))) throw unknownObject('client');
}

const CLIENTS_EXIST = `
select count(*)::integer as found from clients where ($1::uuid[] is null or id = any($1::uuid[])) and id = any($2::uuid[])`;

/** Refuses clients that there are not among the key's. Throws `not_found`. */
export async function requireExisting(tx: Transaction, caller: Caller, clientIds: readonly string[]): Promise<void> {
  const ids = [...new Set(clientIds)];
  if (ids.length === 0) return;
  const [row] = await tx.query<{ found: number }>({ text: CLIENTS_EXIST, values: [reachOf(caller), ids] });
  if (row?.found !== ids.length) throw unknownObject('client');
}

/** Names of the fields of `patch` that differ from `before`. */
export const changedFields = <Value extends object>(before: Value, patch: Partial<Value>): (keyof Value & string)[] =>
  Object.entries(patch)
    .filter(([name, value]) => value !== undefined && !isSame(value, before[name as keyof Value]))
    .map(([name]) => name as keyof Value & string);

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
