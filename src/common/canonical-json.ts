const sortedKeys = (_: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;

/** JSON text with the keys of every object sorted: the same for the same value. */
export const canonicalJson = (value: unknown): string => JSON.stringify(value, sortedKeys);
