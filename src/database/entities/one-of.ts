/** The expression of a check: the column holds one of these words, or nothing where it may. */
export const oneOf = (column: string, words: readonly string[]): string =>
  `${column} in (${words.map((word) => `'${word}'`).join(', ')})`;
