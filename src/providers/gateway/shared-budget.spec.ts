import { describe, expect, it } from 'vitest';
import { windowOf } from './shared-budget.js';

describe('windowOf', () => {
  it.each([
    [20, { points: 20, seconds: 1 }],
    [10_000, { points: 10_000, seconds: 1 }],
    [2.5, { points: 5, seconds: 2 }],
    [0.5, { points: 1, seconds: 2 }],
    [0.1, { points: 1, seconds: 10 }],
    [0.3, { points: 3, seconds: 10 }],
    [1.234, { points: 12, seconds: 10 }],
  ])('gives whole requests in whole seconds for a rate of %d', (perSecond, window) => {
    expect(windowOf(perSecond)).toEqual(window);
  });
});
