// Words of a turn → lines that a screen can hold. Pure.

/** Two lines of a screen. */
const LONGEST = 84;

const WORDS = new Intl.Segmenter('und', { granularity: 'word' });
const LETTERS = new Intl.Segmenter('und', { granularity: 'grapheme' });

/** `text` (words with single spaces between) in at least `atLeast` lines, if it has so many words; none is too long. */
export function linesOf(text: string, atLeast: number): string[] {
  const longest = Math.min(LONGEST, Math.ceil(text.length / Math.max(1, atLeast)));
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const joined = line === '' ? word : `${line} ${word}`;
    if (joined.length <= longest) {
      line = joined;
      continue;
    }
    if (line !== '') lines.push(line);
    // A word that is too long: an address, or a language that writes no spaces.
    const pieces = word.length <= LONGEST ? [word] : cut(word);
    for (const piece of pieces.slice(0, -1)) lines.push(piece);
    line = pieces.at(-1) ?? '';
  }
  return [...lines, line];
}

/** Where words end in a language without spaces; an endless one between letters. */
function cut(word: string): string[] {
  const pieces: string[] = [];
  let piece = '';
  for (const next of smallPieces(word)) {
    if (piece !== '' && piece.length + next.length > LONGEST) {
      pieces.push(piece);
      piece = '';
    }
    piece += next;
  }
  return [...pieces, piece];
}

function* smallPieces(word: string): Generator<string> {
  for (const { segment } of WORDS.segment(word)) {
    if (segment.length <= LONGEST) yield segment;
    else for (const letter of LETTERS.segment(segment)) yield letter.segment;
  }
}
