import { describe, expect, it } from 'vitest';
import { Draws, Random, seededHex } from './random.js';

const draw = (seed: string) => {
  const random = new Random(seed);
  return Array.from({ length: 200 }, () => random.next());
};

describe('Random', () => {
  it('repeats its sequence for the same seed', () => {
    expect(draw('a')).toEqual(draw('a'));
    expect(draw('a')).not.toEqual(draw('b'));
  });

  it('stays within its bounds and covers them', () => {
    const values = draw('spread');
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    expect(values.reduce((sum, value) => sum + value, 0) / values.length).toBeCloseTo(0.5, 0);
    const random = new Random('integers');
    expect(new Set(Array.from({ length: 200 }, () => random.integer(1, 3)))).toEqual(new Set([1, 2, 3]));
  });

  it('chooses by weight, and never an item without weight', () => {
    const random = new Random('weights');
    const chosen = Array.from({ length: 300 }, () =>
      random.weighted(['never', 'rare', 'often'], (item) => ({ never: 0, rare: 1, often: 9 })[item] ?? 0),
    );
    expect(chosen).not.toContain('never');
    expect(chosen.filter((item) => item === 'often').length).toBeGreaterThan(220);
    expect(() => random.pick([])).toThrow(RangeError);
  });

  it('returns hex of the requested length', () => {
    expect(seededHex('call', 32)).toMatch(/^[0-9a-f]{32}$/);
    expect(seededHex('call', 32)).toBe(seededHex('call', 32));
  });
});

describe('Draws', () => {
  it('gives each name its own generator, in any order of names', () => {
    const drawn = (...names: string[]) => {
      const draws = new Draws('seed');
      return Object.fromEntries(names.map((name) => [name, draws.next(name).next()]));
    };
    expect(drawn('a', 'b', 'c')).toEqual(drawn('c', 'b', 'a'));
    expect(drawn('a', 'b')['a']).not.toBe(drawn('a', 'b')['b']);
  });

  it('gives a name a new generator each time', () => {
    const draws = new Draws('seed');
    expect(draws.next('a').next()).not.toBe(draws.next('a').next());
    expect(new Draws('seed').next('a').next()).not.toBe(new Draws('other').next('a').next());
  });
});
