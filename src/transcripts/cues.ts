// Spoken turns → cues: what is on the screen from when to when. In order, one after the other, none of no length. Pure.
import type { Turn, TurnRole } from '../providers/provider-fact.js';
import { linesOf } from './cue-lines.js';

const SPEAKERS = { customer: 'Customer', agent: 'Agent', human_agent: 'Human agent' } as const;
type SpokenRole = keyof typeof SPEAKERS;

export interface Cue {
  /** Of the turn that is spoken. */
  turnIndex: number;
  /** From 0; the number of the piece, where a long turn has several cues. */
  part: number;
  speaker: string;
  /** One line, not escaped. */
  text: string;
  /** Milliseconds from the start of the conversation; `end` is always later than `start`. */
  start: number;
  end: number;
}

/** How fast people speak, about: 15 characters a second. */
const MS_PER_CHARACTER = 65;
/** Shorter than this nobody sees a cue; it lasts so long even where the provider's times leave it less. */
const SHORTEST_MS = 200;
/** A cue that stays longer is out of step with the voice. */
const LONGEST_MS = 7_000;

interface Spoken {
  index: number;
  speaker: string;
  text: string;
  start: number | null;
  end: number | null;
}

/**
 * Cues of the spoken turns that have words, in the order of the turns. Times that are missing are filled in from those
 * around them, and what was said at once follows one after the other: a cue ends where the next begins.
 */
export function cuesOf(turns: Turn[]): Cue[] {
  const spoken = turns.flatMap(spokenOf);
  const room = new Room(spoken);
  const cues: Cue[] = [];
  let free = 0;
  spoken.forEach((turn, position) => {
    const start = Math.max(turn.start ?? free, free);
    const wanted = room.endOf(position, start);
    const lines = linesOf(turn.text, Math.ceil((wanted - start) / LONGEST_MS));
    const end = Math.max(wanted, start + lines.length * SHORTEST_MS);
    // One by one: a call takes so many arguments and no more.
    for (const cue of partsOf(turn, lines, { start, end })) cues.push(cue);
    free = end;
  });
  return cues;
}

const isSpoken = (role: TurnRole): role is SpokenRole => role in SPEAKERS;

function spokenOf({ index, role, text, start_ms, end_ms }: Turn): Spoken[] {
  if (!isSpoken(role)) return [];
  const words = (text ?? '').replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();
  return words === '' ? [] : [{ index, speaker: SPEAKERS[role], text: words, start: start_ms, end: end_ms }];
}

const lengthOf = ({ text }: Spoken): number => Math.max(SHORTEST_MS, text.length * MS_PER_CHARACTER);

/** How long turns may last. Asked for one after the other: what is ahead is looked at once. */
class Room {
  /** Milliseconds that the words of all turns before each need. */
  private readonly before = [0];
  /** The first turn that is known to begin later than the one that was asked for last. */
  private ahead = 0;

  constructor(private readonly spoken: Spoken[]) {
    for (const turn of spoken) this.before.push((this.before.at(-1) ?? 0) + lengthOf(turn));
  }

  /**
   * When a turn that begins at `start` is over: when the provider says so, else when its words are spoken; but before
   * the next later start, up to which turns without one, or with the same (some providers tell seconds), have their shares.
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

/** Pieces of one turn, each for as long as its share of the characters. */
function partsOf({ index, speaker }: Spoken, lines: string[], { start, end }: { start: number; end: number }): Cue[] {
  const all = lines.join('').length;
  // What each piece has for sure; the rest goes by characters.
  const rest = end - start - lines.length * SHORTEST_MS;
  let before = 0;
  const edge = (part: number): number => start + part * SHORTEST_MS + Math.floor((rest * before) / all);
  return lines.map((text, part) => {
    const from = edge(part);
    before += text.length;
    return { turnIndex: index, part, speaker, text, start: from, end: edge(part + 1) };
  });
}
