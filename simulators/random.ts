// Seeded randomness, so that a simulated call can be reproduced from its seed alone.
import { createHash } from 'node:crypto';

/** A 32-bit FNV-1a hash of a text. */
function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** Lower-case hex digits (at most 64) derived from a seed; unlike {@link Random}, enough bits for ids. */
export function seededHex(seed: string, digits: number): string {
  return createHash('sha256').update(seed).digest('hex').slice(0, digits);
}

/** A mulberry32 generator: the same seed gives the same sequence on every machine. */
export class Random {
  private state: number;

  constructor(seed: string) {
    this.state = hash32(seed);
  }

  /** A number in [0, 1). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  }

  /** A number in [low, high). */
  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  /** An integer in [low, high], both inclusive. */
  integer(low: number, high: number): number {
    return Math.floor(this.between(low, high + 1));
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One item of a list. Throws RangeError for an empty list. */
  pick<T>(items: readonly T[]): T {
    return this.weighted(items, () => 1);
  }

  /** One item, chosen by weight. Throws RangeError when no item has a weight. */
  weighted<T>(items: readonly T[], weight: (item: T) => number): T {
    let rest = this.next() * items.reduce((sum, item) => sum + weight(item), 0);
    for (const item of items) {
      rest -= weight(item);
      if (rest < 0) return item;
    }
    throw new RangeError('nothing to choose from');
  }

  /** An exponentially distributed waiting time between independent events, in the unit of the mean. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next());
  }
}

/** Generators for events in any order: each occurrence of a name gets its own generator. */
export class Draws {
  private readonly counts = new Map<string, number>();

  constructor(private readonly seed: string) {}

  /** The generator for the next occurrence of this name. */
  next(name: string): Random {
    const time = (this.counts.get(name) ?? 0) + 1;
    this.counts.set(name, time);
    return new Random(`${this.seed} ${name} ${time}`);
  }
}
