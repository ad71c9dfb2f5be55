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
  const knownAfter = knownStarts(spoken);
  const cues: Cue[] = [];
  let free = 0;
  spoken.forEach((turn, position) => {
    const start = Math.max(turn.start ?? free, free);
    const wanted = endOf(spoken, position, { start, next: knownAfter[position] ?? null });
    const lines = linesOf(turn.text, Math.ceil((wanted - start) / LONGEST_MS));
    const end = Math.max(wanted, start + lines.length * SHORTEST_MS);
    cues.push(...partsOf(turn, lines, { start, end }));
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

interface Known {
  start: number;
  position: number;
}

/** For each turn the next one whose start is known. */
function knownStarts(spoken: Spoken[]): (Known | null)[] {
  const found: (Known | null)[] = [];
  let next: Known | null = null;
  for (let position = spoken.length - 1; position >= 0; position -= 1) {
    found[position] = next;
    const start = spoken[position]?.start ?? null;
    if (start !== null) next = { start, position };
  }
  return found;
}

/**
 * When a turn that begins at `start` is over: when the provider says so, else when its words are spoken; but not after
 * the next known start, of which turns without times in between take their shares.
 */
function endOf(spoken: Spoken[], position: number, { start, next }: { start: number; next: Known | null }): number {
  const given = spoken[position]?.end ?? null;
  const room = next === null || next.start <= start ? Infinity : next.start - start;
  if (given !== null && given > start) return Math.min(given, start + room);
  const own = lengthOf(spoken[position]);
  const sharing =
    next === null ? own : spoken.slice(position, next.position).reduce((sum, one) => sum + lengthOf(one), 0);
  return start + Math.round(Math.min(own, (room * own) / sharing));
}

const lengthOf = (turn: Spoken | undefined): number =>
  Math.max(SHORTEST_MS, (turn?.text.length ?? 0) * MS_PER_CHARACTER);

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
