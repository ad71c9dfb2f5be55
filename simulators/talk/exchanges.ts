// The middle of a conversation: part of its topic, with small talk in between.
import type { Random } from '../random.js';
import type { Line } from './lines.js';
import type { Phrases } from './phrases.js';
import type { Topic } from './topic.js';

/** How many exchanges a conversation has: mostly few, with a long tail. */
export function exchangeCount(random: Random): number {
  const [low, high] = random.weighted(
    [
      [0, 2],
      [3, 6],
      [7, 12],
      [13, 20],
    ] as const,
    ([first]) => ({ 0: 20, 3: 50, 7: 23, 13: 7 })[first],
  );
  return random.integer(low, high);
}

/** Up to `count` exchanges, in the topic's order; fillers run out unless the conversation is `endless`. */
export function exchangesOf(
  random: Random,
  topic: Topic,
  phrases: Phrases,
  wanted: { count: number; endless: boolean },
): Line[] {
  const exchanges = topic.exchanges.slice(0, wanted.count);
  let unused = [...phrases.fillers];
  while (exchanges.length < wanted.count) {
    if (unused.length === 0) {
      if (!wanted.endless) break;
      unused = [...phrases.fillers];
    }
    const filler = unused.splice(random.integer(0, unused.length - 1), 1);
    exchanges.splice(random.integer(1, exchanges.length), 0, ...filler);
  }
  return exchanges.flat();
}
