// What a benchmark says, how it is kept, and the table that is drawn from it.
import { mkdirSync, readFileSync, existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DiskSpeed, Machine } from './machine.js';
import { rounded, spreadOf, type Spread } from './statistics.js';

/** One figure of one benchmark. */
export interface Figure extends Spread {
  /** Such as `durable webhooks ÷ bare inserts`. */
  what: string;
  unit: 'ratio' | 'ms' | 'events a sync' | 'a second' | 'MB';
  /** Larger is better unless it is a time or memory. */
  goal?: number;
  /** What each round measured, both sides where there are two. */
  rounds: Record<string, number>[];
  /** Watched in CI: falling 30 % under the recorded median fails. Only for ratios where larger is better. */
  gated?: boolean;
}

export interface Findings {
  figures: Figure[];
  /** Conditions that a reader must know. */
  notes: string[];
}

export interface Result extends Findings {
  name: string;
  title: string;
  mode: 'full' | 'short';
  at: string;
  machine: Machine & { postgres: string; temporal: string | null };
  /** Share of the cores that others used before the start, 0 to 1. */
  busy: number;
  /** Runnable processes a core in the last minute, of the benchmark itself above all. */
  load: number;
  fdatasync: DiskSpeed;
  /** What makes these figures less trustworthy. */
  flags: string[];
}

export const LOWER_IS_BETTER: ReadonlySet<Figure['unit']> = new Set<Figure['unit']>(['ms', 'MB']);

export const isMet = ({ unit, goal, median }: Figure): boolean | null =>
  goal === undefined ? null : LOWER_IS_BETTER.has(unit) ? median <= goal : median >= goal;

/** A figure of pairs: the ratio of each, and their median. */
export function ratioFigure(
  what: string,
  pairs: (Record<string, number> & { ours: number; theirs: number })[],
  extras: Pick<Figure, 'goal' | 'gated'> = {},
): Figure {
  const rounds = pairs.map((pair) => roundedAll({ ratio: pair.ours / pair.theirs, ...pair }));
  return {
    what,
    unit: 'ratio',
    ...roundedAll({ ...spreadOf(pairs.map(({ ours, theirs }) => ours / theirs)) }),
    ...extras,
    rounds,
  };
}

/** A figure of single measurements. */
export function plainFigure(
  what: string,
  unit: Figure['unit'],
  rounds: (Record<string, number> & { value: number })[],
  extras: Pick<Figure, 'goal' | 'gated'> = {},
): Figure {
  return {
    what,
    unit,
    ...roundedAll({ ...spreadOf(rounds.map(({ value }) => value)) }),
    ...extras,
    rounds: rounds.map(roundedAll),
  };
}

const roundedAll = <Values extends object>(values: Values): Values =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, rounded(value as number)])) as Values;

const fileOf = (folder: string, mode: Result['mode'], name: string): string =>
  join(folder, ...(mode === 'short' ? ['short'] : []), `${name}.json`);

export function writeResult(folder: string, result: Result): void {
  const path = fileOf(folder, result.mode, result.name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`);
}

/** The recorded result; null when there is none. */
export function readResult(folder: string, mode: Result['mode'], name: string): Result | null {
  const path = fileOf(folder, mode, name);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Result) : null;
}
