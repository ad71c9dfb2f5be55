// The results of a benchmark, and how they are stored.
import { mkdirSync, readFileSync, existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DiskSpeed, Machine } from './machine.js';
import { rounded, spreadOf, type Spread } from './statistics.js';

/** One figure of one benchmark. */
export interface Figure extends Spread {
  /** Such as `durable webhooks ÷ bare inserts`. */
  what: string;
  unit: 'ratio' | 'ms' | 'events a sync' | 'a second' | 'MB';
  /** Larger is better, except for times and memory. */
  goal?: number;
  /** Measurements of each round, of both sides if there are two. */
  rounds: Record<string, number>[];
  /** CI fails if it falls 30 % below the recorded median. Only for ratios where larger is better. */
  gated?: boolean;
}

export interface Findings {
  figures: Figure[];
  /** Conditions that readers need to know. */
  notes: string[];
}

export interface Result extends Findings {
  name: string;
  title: string;
  mode: 'full' | 'short';
  at: string;
  machine: Machine & { postgres: string; temporal: string | null };
  /** Share of the cores in use before the start, 0 to 1. */
  busy: number;
  /** Load average per core, mostly of the benchmark itself. */
  load: number;
  fdatasync: DiskSpeed;
  /** Reasons why these figures are less certain. */
  flags: string[];
}

export const LOWER_IS_BETTER: ReadonlySet<Figure['unit']> = new Set<Figure['unit']>(['ms', 'MB']);

export const isMet = ({ unit, goal, median }: Figure): boolean | null =>
  goal === undefined ? null : LOWER_IS_BETTER.has(unit) ? median <= goal : median >= goal;

/** A figure of pairs: their ratios and the median. */
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

/** The recorded result; null if there is none. */
export function readResult(folder: string, mode: Result['mode'], name: string): Result | null {
  const path = fileOf(folder, mode, name);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Result) : null;
}
