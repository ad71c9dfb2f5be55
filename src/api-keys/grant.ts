// What a key may do, and what one key may give to another. Pure: asked with rows that are true at this moment.
import { RIGHTS, ROLE_RIGHTS, rightsOf, type Right, type Role } from '../access/rights.js';

/** What a key may do, as its row holds it. */
export interface Grant {
  role: Role;
  all_clients: boolean;
  /** uuids; empty with `all_clients`. */
  client_ids: string[];
  scopes: string[];
  expires_at: Date | null;
}

/** The part of a grant in which it goes beyond another one. */
export type Excess = 'role' | 'rights' | 'clients' | 'expiry';

/** Where `grant` goes beyond `bound`; null: all of it is within. */
export function excessOf(grant: Grant, bound: Grant): Excess | null {
  if (!isRoleWithin(grant.role, bound.role)) return 'role';
  const isWithin =
    isSubset(rightsOf(grant.role, grant.scopes), rightsOf(bound.role, bound.scopes)) &&
    isSubset(powersOf(grant), powersOf(bound));
  if (!isWithin) return 'rights';
  if (!areClientsWithin(grant, bound)) return 'clients';
  return isLater(grant.expires_at, bound.expires_at) ? 'expiry' : null;
}

/**
 * What forbids the holder of a key to make such a grant; null: nothing. An admin grants every role for its clients, but no
 * right that its own scopes take away, nor the power to give it; its own expiry does not bind it, since somebody must make
 * the keys of next year. Everybody else grants what it has itself.
 */
export function excessOver(holder: Grant, grant: Grant): Excess | null {
  if (holder.role !== 'admin') return excessOf(grant, holder);
  if (!areClientsWithin(grant, holder)) return 'clients';
  return isSubset(powersOf(grant), powersOf(holder)) ? null : 'rights';
}

/** Whether the holder may change or revoke this key of another holder, among those that it sees. */
export const mayManage = (holder: Grant, of: Grant): boolean =>
  holder.role === 'admin' || excessOf(of, holder) === null;

/** The later of two times of expiry is the first one; null is never. */
export const isLater = (a: Date | null, b: Date | null): boolean => b !== null && (a === null || a > b);

/** Rights to content and to what compliance decides, and the one by which others are given. */
const SENSITIVE: readonly Right[] = [
  'content:read',
  'holds:manage',
  'retention:manage',
  'conversations:erase',
  'access-requests:manage',
  'journal:read',
  'api-keys:manage',
];

/** Whether, with four eyes, a second admin has to approve a key with this grant. */
export function isSensitive({ role, scopes }: Pick<Grant, 'role' | 'scopes'>): boolean {
  const rights = rightsOf(role, scopes);
  // The two roles count by themselves: some rules go by the role, whatever the scopes take away.
  return role === 'admin' || role === 'compliance' || SENSITIVE.some((right) => rights.has(right));
}

/**
 * The rights that a key has or gives. An admin gives also what it has not itself, but for what its scopes take away: one
 * that makes another without that loss would get around it by two steps.
 */
const powersOf = ({ role, scopes }: Grant): ReadonlySet<Right> =>
  role === 'admin' ? new Set(RIGHTS.filter((right) => !scopes.includes(`-${right}`))) : rightsOf(role, scopes);

const isSubset = (a: ReadonlySet<Right>, b: ReadonlySet<Right>): boolean => [...a].every((right) => b.has(right));

/** By the roles alone: scopes do not make a consumer a compliance officer, whom restrictions let pass. */
const isRoleWithin = (role: Role, bound: Role): boolean =>
  role === bound || ROLE_RIGHTS[role].every((right) => ROLE_RIGHTS[bound].includes(right));

const areClientsWithin = (grant: Grant, bound: Grant): boolean =>
  bound.all_clients || (!grant.all_clients && grant.client_ids.every((id) => bound.client_ids.includes(id)));
