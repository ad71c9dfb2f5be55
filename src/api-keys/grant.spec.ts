import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { excessOf, excessOver, isSensitive, mayManage, type Grant } from './grant.js';
import { rightsOf, ROLES } from '../access/rights.js';

const CLIENTS = ['a', 'b'];
/** Few, so that grants within each other are drawn often. */
const SCOPES = ['api-keys:manage', 'content:read', '-content:read', '-conversations:read'];
const OFTEN = { maxSkipsPerRun: 2_000 };
const grants: fc.Arbitrary<Grant> = fc.record({
  role: fc.constantFrom(...ROLES),
  all_clients: fc.boolean(),
  client_ids: fc.subarray(CLIENTS, { minLength: 1 }),
  scopes: fc.subarray(SCOPES),
  expires_at: fc.constantFrom(null, new Date(1_000), new Date(2_000)),
});

const rightsIn = (grant: Grant): Set<string> => rightsOf(grant.role, grant.scopes);
const clientsIn = (grant: Grant): Set<string> => new Set(grant.all_clients ? [...CLIENTS, '*'] : grant.client_ids);
const isSubset = (a: Set<string>, b: Set<string>): boolean => [...a].every((item) => b.has(item));

describe('excessOver', () => {
  it('lets nobody but an admin grant a right, client, role or lifetime that it does not have', () => {
    fc.assert(
      fc.property(grants, grants, (holder, grant) => {
        fc.pre(holder.role !== 'admin' && excessOver(holder, grant) === null);
        expect(isSubset(rightsIn(grant), rightsIn(holder))).toBe(true);
        expect(isSubset(clientsIn(grant), clientsIn(holder))).toBe(true);
        expect(grant.role === holder.role || (holder.role === 'supervisor' && grant.role === 'consumer')).toBe(true);
        if (holder.expires_at !== null) expect(grant.expires_at?.getTime()).toBeLessThanOrEqual(+holder.expires_at);
      }),
      OFTEN,
    );
  });

  it('limits an admin to its clients and by what its scopes take away', () => {
    fc.assert(
      fc.property(grants, grants, (holder, grant) => {
        const admin: Grant = { ...holder, role: 'admin' };
        const taken = takenFrom(admin);
        const givesBack = grant.role === 'admin' && !isSubset(taken, takenFrom(grant));
        const isFree = isSubset(clientsIn(grant), clientsIn(admin)) && !overlaps(rightsIn(grant), taken) && !givesBack;
        expect(excessOver(admin, grant) === null).toBe(isFree);
      }),
    );
  });

  it('keeps a right that an admin lost from all keys that it creates', () => {
    fc.assert(
      fc.property(grants, fc.array(grants, { minLength: 2, maxLength: 6 }), (first, made) => {
        const admin: Grant = { ...first, role: 'admin' };
        let holder = admin;
        for (const grant of made) {
          if (excessOver(holder, grant) !== null) continue;
          expect(overlaps(rightsIn(grant), takenFrom(admin))).toBe(false);
          if (rightsIn(grant).has('api-keys:manage')) holder = grant;
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('lets every key grant what it has', () => {
    fc.assert(
      fc.property(grants, ({ role, ...holder }) => {
        fc.pre(role !== 'admin');
        expect(excessOver({ role, ...holder }, { role, ...holder })).toBeNull();
      }),
    );
  });
});

describe('excessOf', () => {
  it('is an order: what is within something within is within', () => {
    fc.assert(
      fc.property(grants, grants, grants, (a, b, c) => {
        fc.pre(excessOf(a, b) === null && excessOf(b, c) === null);
        expect(excessOf(a, c)).toBeNull();
      }),
      OFTEN,
    );
  });

  it('reports an admin that could grant what its scopes took away', () => {
    const admin: Grant = { role: 'admin', all_clients: true, client_ids: [], scopes: [], expires_at: null };
    const narrowed = { ...admin, scopes: ['-content:read'] };
    expect([excessOf(admin, narrowed), excessOf(narrowed, admin)]).toEqual(['rights', null]);
  });
});

describe('mayManage', () => {
  it('is for admins, and for those who have everything that the other key has', () => {
    fc.assert(
      fc.property(grants, grants, (holder, other) => {
        expect(mayManage(holder, other)).toBe(holder.role === 'admin' || excessOf(other, holder) === null);
      }),
    );
  });
});

describe('isSensitive', () => {
  it('is content, compliance and the giving of keys', () => {
    const sensitive = ROLES.filter((role) => isSensitive({ role, scopes: [] }));
    expect(sensitive).toEqual(['consumer', 'supervisor', 'compliance', 'admin']);
    expect(isSensitive({ role: 'consumer', scopes: ['-content:read'] })).toBe(false);
    for (const scopes of [['content:read'], ['journal:read'], ['conversations:erase'], ['api-keys:manage']])
      expect(isSensitive({ role: 'operator', scopes })).toBe(true);
  });
});

/** Rights that its scopes take away. */
const takenFrom = ({ scopes }: Grant): Set<string> =>
  new Set(scopes.filter((scope) => scope.startsWith('-')).map((scope) => scope.slice(1)));

/** Whether they share one. */
const overlaps = (a: Set<string>, b: Set<string>): boolean => [...a].some((item) => b.has(item));
