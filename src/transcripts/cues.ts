// Spoken turns → subtitle cues with start and end. Cues are in order, do not overlap and have a positive length. Pure.
import type { Turn, TurnRole } from '../providers/provider-fact.js';
import { linesOf } from './cue-lines.js';

const SPEAKERS = { customer: 'Customer', agent: 'Agent', human_agent: 'Human agent' } as const;
type SpokenRole = keyof typeof SPEAKERS;

export interface Cue {
  /** Index of the turn. */
  turnIndex: number;
  /** From 0: number of the cue within its turn; a long turn has several. */
  part: number;
  speaker: string;
  /** One line, not escaped. */
  text: string;
  /** Milliseconds from the start of the conversation; `end` is always later than `start`. */
  start: number;
  end: number;
}

/** Average speaking rate: 15 characters a second. */
const MS_PER_CHARACTER = 65;
/** Shortest cue that is still readable; it lasts this long even if the provider's times leave it less. */
const SHORTEST_MS = 200;
/** A cue that stays longer gets out of step with the voice. */
const LONGEST_MS = 7_000;

interface SpokenTurn {
  index: number;
  speaker: string;
  text: string;
  start: number | null;
  end: number | null;
}

/**
 * Cues of the spoken turns that have text, in the order of the turns. Missing times are filled in from neighbouring turns.
 * Turns that overlap in time are shown one after the other: a cue ends where the next begins.
 */
export function cuesOf(turns: Turn[]): Cue[] {
  const spoken = turns.flatMap(spokenOf);
  const timing = new TurnTiming(spoken);
  const cues: Cue[] = [];
  let free = 0;
  spoken.forEach((turn, position) => {
    const start = Math.max(turn.start ?? free, free);
    const wanted = timing.endOf(position, start);
    const lines = linesOf(turn.text, Math.ceil((wanted - start) / LONGEST_MS));
    const end = Math.max(wanted, start + lines.length * SHORTEST_MS);
    // Not push(...parts): the number of arguments of a call is limited.
    for (const cue of partsOf(turn, lines, { start, end })) cues.push(cue);
    free = end;
  });
  return cues;
}

const isSpoken = (role: TurnRole): role is SpokenRole => role in SPEAKERS;

function spokenOf({ index, role, text, start_ms, end_ms }: Turn): SpokenTurn[] {
  if (!isSpoken(role)) return [];
  const words = (text ?? '').replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();
  return words === '' ? [] : [{ index, speaker: SPEAKERS[role], text: words, start: start_ms, end: end_ms }];
}

const lengthOf = ({ text }: SpokenTurn): number => Math.max(SHORTEST_MS, text.length * MS_PER_CHARACTER);

/** When turns end. Call in the order of the turns: the search for the next later start moves forward only. */
class TurnTiming {
  /** For each turn the milliseconds that the text of all turns before it needs. */
  private readonly before = [0];
  /** The first turn known to begin later than the turn of the last call. */
  private ahead = 0;

  constructor(private readonly spoken: SpokenTurn[]) {
    for (const turn of spoken) this.before.push((this.before.at(-1) ?? 0) + lengthOf(turn));
  }

  /**
   * When a turn that begins at `start` ends: as the provider says, else after the time that its text needs, but never after the
   * next later start. Turns up to there without a start, or with the same one (some providers round to seconds), share the time.
   */
  endOf(position: number, start: number): number {
    const next = this.laterStart(position, start);
    const given = this.spoken[position]?.end ?? null;
    if (given !== null && given > start) return Math.min(given, next);
    const own = this.lengthBetween(position, position + 1);
    const share = own / this.lengthBetween(position, this.ahead);
    return start + Math.round(Math.min(own, (next - start) * share));
  }

  /** Infinity when there is none. */
  private laterStart(position: number, start: number): number {
    this.ahead = Math.max(this.ahead, position + 1);
    while (this.ahead < this.spoken.length && (this.spoken[this.ahead]?.start ?? -Infinity) <= start) this.ahead += 1;
    return this.spoken[this.ahead]?.start ?? Infinity;
  }

  private lengthBetween(from: number, to: number): number {
    return (this.before[to] ?? 0) - (this.before[from] ?? 0);
  }
}

/** The cues of one turn; each lasts in proportion to its characters. */
function partsOf(
  { index, speaker }: SpokenTurn,
  lines: string[],
  { start, end }: { start: number; end: number },
): Cue[] {
  const all = lines.join('').length;
  // Each cue gets SHORTEST_MS; the rest is divided by characters.
  const rest = end - start - lines.length * SHORTEST_MS;
  let before = 0;
  const edge = (part: number): number => start + part * SHORTEST_MS + Math.floor((rest * before) / all);
  return lines.map((text, part) => {
    const from = edge(part);
    before += text.length;
    return { turnIndex: index, part, speaker, text, start: from, end: edge(part + 1) };
  });
}
