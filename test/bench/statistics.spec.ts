import { describe, expect, it } from 'vitest';
import { median, percentile, rounded, spreadOf } from '../../bench/statistics.js';

describe('median', () => {
  it.each([
    [[3], 3],
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
  ])('is the middle of %j', (values, expected) => {
    expect(median(values)).toBe(expected);
  });

  it('refuses an empty list', () => {
    expect(() => median([])).toThrow(RangeError);
  });
});

describe('percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1).toReversed();

  it.each([
    [0.5, 50],
    [0.99, 99],
    [1, 100],
    [0, 1],
  ])('returns the nearest-rank value for %d', (share, expected) => {
    expect(percentile(hundred, share)).toBe(expected);
  });
});

describe('spreadOf', () => {
  it('returns median, minimum and maximum', () => {
    expect(spreadOf([5, 1, 3])).toEqual({ median: 3, min: 1, max: 5 });
  });
});

describe('rounded', () => {
  it.each([
    [0.123456, 0.123],
    [1234.5, 1230],
  ])('keeps three significant digits of %d', (value, expected) => {
    expect(rounded(value)).toBe(expected);
  });
});
