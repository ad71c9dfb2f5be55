import { describe, expect, it } from 'vitest';
import { RIGHTS, rightsOf, ROLE_RIGHTS, ROLES, type Right, type Role } from './rights.js';

// The table of the HTTP contract, row by row: consumer, supervisor, compliance, operator, admin.
const MATRIX: [Right[], boolean[]][] = [
  [['conversations:read'], [true, true, true, true, false]],
  [['content:read'], [true, true, true, false, false]],
  [['conversations:write'], [true, true, false, false, false]],
  [
    ['conversations:command', 'alerts:manage'],
    [false, true, false, false, false],
  ],
  [['compliance:status'], [false, false, true, true, false]],
  [
    ['holds:manage', 'retention:manage', 'conversations:erase', 'access-requests:manage', 'journal:read'],
    [false, false, true, false, false],
  ],
  [['operations:manage'], [false, false, false, true, false]],
  [
    [
      'clients:manage',
      'agents:manage',
      'provider-accounts:manage',
      'api-keys:manage',
      'webhook-endpoints:manage',
      'alert-rules:manage',
    ],
    [false, false, false, false, true],
  ],
];

describe('rightsOf', () => {
  it('gives every role exactly the rights of the matrix', () => {
    for (const [index, role] of ROLES.entries()) {
      const expected = MATRIX.flatMap(([rights, allowed]) => (allowed[index] === true ? rights : []));
      expect([...rightsOf(role, [])].sort(), role).toEqual(expected.sort());
    }
  });

  it('has every right in the matrix', () => {
    expect(MATRIX.flatMap(([rights]) => rights).sort()).toEqual([...RIGHTS].sort());
  });

  it('adds single rights', () => {
    expect(rightsOf('operator', ['content:read'])).toEqual(new Set([...ROLE_RIGHTS.operator, 'content:read']));
  });

  it('narrows, even where the same right is added', () => {
    const role: Role = 'supervisor';
    expect(rightsOf(role, ['content:read', '-content:read']).has('content:read')).toBe(false);
    expect(rightsOf(role, ['-content:read']).has('conversations:read')).toBe(true);
  });
});
