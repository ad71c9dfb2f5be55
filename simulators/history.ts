// The past of a simulated workspace: finished conversations in bulk, spread over a span of time.
import { Random } from './random.js';

/** How much of a past there is; times in epoch milliseconds, by default the 30 days before now. */
export interface HistoryOptions {
  count: number;
  from?: number;
  to?: number;
  seed?: string;
}

const DAY_MS = 86_400_000;
/** No conversation of a history lasts longer, so that none ends in the future. */
const ROOM_MS = 10 * 60_000;

/** The ends of the conversations, oldest first, each with its own seed. The same options give the same ones. */
export function pastEnds(options: HistoryOptions, nowMs: number): { seed: string; endMs: number }[] {
  const to = options.to ?? nowMs;
  const from = Math.min(options.from ?? to - 30 * DAY_MS, to);
  const seed = options.seed ?? 'history';
  const random = new Random(`${seed} history`);
  const earliest = Math.min(from + ROOM_MS, to);
  const ends = Array.from({ length: options.count }, () => Math.floor(random.between(earliest, to)));
  ends.sort((a, b) => a - b);
  return ends.map((endMs, index) => ({ seed: `${seed} history ${index}`, endMs }));
}
