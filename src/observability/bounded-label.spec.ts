import { describe, expect, it } from 'vitest';
import { BoundedLabel } from './bounded-label.js';

describe('BoundedLabel', () => {
  it('keeps plain identifiers and replaces everything else by "other"', () => {
    const label = new BoundedLabel();
    expect(
      ['call_ended', '08006', '+12025550173', 'my otter', 'x'.repeat(49), ''].map((value) => label.of(value)),
    ).toEqual(['call_ended', 'other', 'other', 'other', 'other', 'other']);
  });

  it('accepts no new value beyond its limit, and keeps the known ones', () => {
    const label = new BoundedLabel(2);
    expect(['a', 'b', 'c', 'a'].map((value) => label.of(value))).toEqual(['a', 'b', 'other', 'a']);
  });
});
