// What a key may do, and what one key may grant to another. Pure functions over current rows.
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

/** The part of a grant that exceeds another grant. */
export type Excess = 'role' | 'rights' | 'clients' | 'expiry';

/** Where `grant` exceeds `bound`; null: nowhere. */
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
 * Where `grant` exceeds what the holder of a key may grant; null: nowhere. An admin may grant every role for its clients, but
 * no right that its own scopes take away, nor the power to grant it; its own expiry is no limit, since somebody must create
 * next year's keys. Other roles may grant only what they have.
 */
export function excessOver(holder: Grant, grant: Grant): Excess | null {
  if (holder.role !== 'admin') return excessOf(grant, holder);
  if (!areClientsWithin(grant, holder)) return 'clients';
  return isSubset(powersOf(grant), powersOf(holder)) ? null : 'rights';
}

/** Whether the holder may change or revoke the visible key `other`. */
export const mayManage = (holder: Grant, other: Grant): boolean =>
  holder.role === 'admin' || excessOf(other, holder) === null;

/** Whether expiry `a` is later than `b`; null: never expires. */
export const isLater = (a: Date | null, b: Date | null): boolean => b !== null && (a === null || a > b);

/** Rights to content, to compliance decisions, and to granting rights. */
const SENSITIVE: readonly Right[] = [
  'content:read',
  'holds:manage',
  'retention:manage',
  'conversations:erase',
  'access-requests:manage',
  'journal:read',
  'api-keys:manage',
];

/** Whether a key with this grant needs a second admin's approval under COLLOQUY_FOUR_EYES. */
export function isSensitive({ role, scopes }: Pick<Grant, 'role' | 'scopes'>): boolean {
  const rights = rightsOf(role, scopes);
  // Both roles count even if scopes take their rights away: some rules go by the role alone.
  return role === 'admin' || role === 'compliance' || SENSITIVE.some((right) => rights.has(right));
}

/**
 * The rights that a key has or may grant. An admin may also grant rights that it does not have, except those that its scopes
 * take away: otherwise it could create a second admin without that restriction.
 */
const powersOf = ({ role, scopes }: Grant): ReadonlySet<Right> =>
  role === 'admin' ? new Set(RIGHTS.filter((right) => !scopes.includes(`-${right}`))) : rightsOf(role, scopes);

const isSubset = (a: ReadonlySet<Right>, b: ReadonlySet<Right>): boolean => [...a].every((right) => b.has(right));

/** Compares roles alone: no set of scopes turns a consumer into a compliance officer, who may read restricted content. */
const isRoleWithin = (role: Role, bound: Role): boolean =>
  role === bound || ROLE_RIGHTS[role].every((right) => ROLE_RIGHTS[bound].includes(right));

const areClientsWithin = (grant: Grant, bound: Grant): boolean =>
  bound.all_clients || (!grant.all_clients && grant.client_ids.every((id) => bound.client_ids.includes(id)));
