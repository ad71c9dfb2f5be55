import { describe, expect, it } from 'vitest';
import { isBelow } from '../../bench/report.js';
import type { Figure, Result } from '../../bench/results.js';

const figure = (what: string, median: number, gated: boolean): Figure => ({
  what,
  unit: 'ratio',
  median,
  min: median,
  max: median,
  rounds: [],
  gated,
});

const result = (...figures: Figure[]): Result => ({
  name: 'B0',
  title: 'Anything',
  mode: 'short',
  at: '',
  busy: 0,
  load: 0,
  figures,
  notes: [],
  flags: [],
  machine: { cpu: '', cores: 2, memoryGb: 1, kernel: '', node: '', postgres: '', temporal: null },
  fdatasync: { perSecond: 1, medianMs: 1, p99Ms: 1 },
});

describe('the gate', () => {
  const recorded = result(figure('a', 1, true), figure('b', 1, false));

  it('passes figures at most 30 % below the recorded median, and figures that are not gated', () => {
    expect(isBelow(result(figure('a', 0.7, true), figure('b', 0.1, false)), recorded)).toEqual([]);
  });

  it('reports figures that fell further', () => {
    expect(isBelow(result(figure('a', 0.69, true)), recorded)).toEqual([
      'B0 a: 0.69, recorded 1: more than 30 % lower',
    ]);
  });

  it('reports recorded figures that are no longer measured', () => {
    expect(isBelow(result(figure('b', 1, false)), recorded)).toEqual(['B0 a: recorded 1, not measured']);
  });
});
