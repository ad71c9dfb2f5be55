import { describe, expect, it } from 'vitest';
import { REGISTRY } from '../../src/temporal/registry.js';
import { bundledWorkflows } from './bundled.js';

describe('the registry of workflows', () => {
  it('names every workflow of the bundle, and no other', () => {
    const named = REGISTRY.map(({ kind: Kind }) => new Kind('http://127.0.0.1').type);
    expect(named.toSorted()).toEqual(bundledWorkflows());
  });
});
