// Who may do what: the rights of each role as data, and the scopes of a key, which add rights to its role or take some away.

/** Administration has one right per kind of object, so that scopes can divide it. */
export const RIGHTS = [
  /** Basic lists, active, changes, history, insights. */
  'conversations:read',
  /** Detail with sealed fields, transcript, audio, full view, search hits, streams. */
  'content:read',
  /** Native writes and PATCH. */
  'conversations:write',
  /** Transfers and interventions. */
  'conversations:command',
  'alerts:manage',
  /** Status of holds, erasures and access requests, without their subjects. */
  'compliance:status',
  'holds:manage',
  'retention:manage',
  'conversations:erase',
  'access-requests:manage',
  'journal:read',
  /** Reconciliations, parked facts, retry. */
  'operations:manage',
  'clients:manage',
  'agents:manage',
  'provider-accounts:manage',
  'api-keys:manage',
  'webhook-endpoints:manage',
  'alert-rules:manage',
] as const;

export type Right = (typeof RIGHTS)[number];

export const ROLES = ['consumer', 'supervisor', 'compliance', 'operator', 'admin'] as const;

export type Role = (typeof ROLES)[number];

const CONSUMER: Right[] = ['conversations:read', 'content:read', 'conversations:write'];
const COMPLIANCE: Right[] = [
  'compliance:status',
  'holds:manage',
  'retention:manage',
  'conversations:erase',
  'access-requests:manage',
  'journal:read',
];
const ADMIN: Right[] = [
  'clients:manage',
  'agents:manage',
  'provider-accounts:manage',
  'api-keys:manage',
  'webhook-endpoints:manage',
  'alert-rules:manage',
];

export const ROLE_RIGHTS: Record<Role, readonly Right[]> = {
  consumer: CONSUMER,
  supervisor: [...CONSUMER, 'conversations:command', 'alerts:manage'],
  compliance: ['conversations:read', 'content:read', ...COMPLIANCE],
  operator: ['conversations:read', 'compliance:status', 'operations:manage'],
  admin: ADMIN,
};

/** `right` adds a right to those of the role, `-right` takes one away. */
export type Scope = Right | `-${Right}`;

export const SCOPES: readonly Scope[] = RIGHTS.flatMap((right): Scope[] => [right, `-${right}`]);

/** The rights of a key. Removal wins over addition, in any order; unknown scopes are ignored. */
export function rightsOf(role: Role, scopes: readonly string[]): Set<Right> {
  const added = RIGHTS.filter((right) => scopes.includes(right));
  const rights = new Set<Right>([...ROLE_RIGHTS[role], ...added]);
  for (const right of RIGHTS) if (scopes.includes(`-${right}`)) rights.delete(right);
  return rights;
}
