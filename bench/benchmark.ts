// What every benchmark gets and gives.
import type { Findings } from './results.js';

export interface Run {
  /** For CI: fewer and shorter rounds. */
  short: boolean;
  /** How many pairs A B are measured, after a first one that is not counted. */
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

/** Rounds in turn, A B A B; the first is for warming up and not kept. */
export async function rounds<Round>({ pairs, say }: Run, measure: (round: number) => Promise<Round>): Promise<Round[]> {
  const kept: Round[] = [];
  for (let round = 0; round <= pairs; round += 1) {
    const measured = await measure(round);
    say(`${round === 0 ? 'warm-up' : `round ${round}`}: ${JSON.stringify(measured)}`);
    if (round > 0) kept.push(measured);
  }
  return kept;
}
