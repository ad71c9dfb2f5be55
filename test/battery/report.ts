// Output of a run of the battery.

/** Prints one line, bypassing vitest's capture of output. */
export const say = (line: string): void => void process.stderr.write(`battery: ${line}\n`);

/** Seconds since `from` (epoch milliseconds), to one decimal. */
export const secondsSince = (from: number): string => `${((Date.now() - from) / 1000).toFixed(1)} s`;
