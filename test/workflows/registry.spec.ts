import { describe, expect, it } from 'vitest';
import { kindsOf, REGISTRY } from '../../src/temporal/registry.js';
import { bundledWorkflows } from './bundled.js';

describe('the registry of workflows', () => {
  it('names every workflow of the bundle, and no other', () => {
    const named = kindsOf({ publicUrl: 'http://127.0.0.1' }).all.map(({ type }) => type);
    expect(named.toSorted()).toEqual(bundledWorkflows());
  });

  it('has no two activities with the same name, of which a worker would always run the later one', () => {
    const names = REGISTRY.flatMap(({ activities }) => Object.keys(activities()));
    expect(names).toContain('fetchRecord');
    expect(names.toSorted()).toEqual([...new Set(names)].toSorted());
  });
});
