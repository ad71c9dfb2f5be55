// Medians, spreads and percentiles. Pure.
export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** The median; for an even number of values, the mean of the middle two. Throws RangeError for an empty list. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (upper === undefined || lower === undefined) throw new RangeError('no values');
  return (upper + lower) / 2;
}

export const spreadOf = (values: readonly number[]): Spread => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
});

/** The percentile `share` (0 to 1) by nearest rank. Throws RangeError for an empty list. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const found = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (found === undefined) throw new RangeError('no values');
  return found;
}

/** Rounds to three significant digits, since no run is more precise. */
export const rounded = (value: number): number => Number(value.toPrecision(3));
