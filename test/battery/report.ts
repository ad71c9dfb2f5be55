// What a run of the battery has seen, for whoever reads its output.

/** One line, past vitest's own capture of what tests print. */
export const say = (line: string): void => void process.stderr.write(`battery: ${line}\n`);

/** Seconds since `from` (epoch milliseconds), to one decimal. */
export const secondsSince = (from: number): string => `${((Date.now() - from) / 1000).toFixed(1)} s`;
