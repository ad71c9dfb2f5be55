// The interface of a benchmark.
import type { Findings } from './results.js';

export interface Run {
  /** For CI: fewer and shorter rounds. */
  short: boolean;
  /** Rounds to measure, after one that is not counted. */
  pairs: number;
  profileDir: string | undefined;
  say: (line: string) => void;
}

export interface Benchmark {
  name: string;
  title: string;
  needsTemporal: boolean;
  run: (run: Run) => Promise<Findings>;
}

/** Measures rounds one after the other; the first is a warm-up and is not kept. */
export async function rounds<Round>({ pairs, say }: Run, measure: (round: number) => Promise<Round>): Promise<Round[]> {
  const kept: Round[] = [];
  for (let round = 0; round <= pairs; round += 1) {
    const measured = await measure(round);
    say(`${round === 0 ? 'warm-up' : `round ${round}`}: ${JSON.stringify(measured)}`);
    if (round > 0) kept.push(measured);
  }
  return kept;
}
