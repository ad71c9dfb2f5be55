// History of a simulated workspace: many finished conversations, spread over a period.
import { Random } from './random.js';

/** Size and period of a history; times in epoch milliseconds, default: the last 30 days. */
export interface HistoryOptions {
  count: number;
  from?: number;
  to?: number;
  seed?: string;
}

const DAY_MS = 86_400_000;
/** The longest duration of a conversation in a history: keeps all ends in the past. */
const ROOM_MS = 10 * 60_000;

/** The end times of the conversations, oldest first, each with its own seed. The same options give the same result. */
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
