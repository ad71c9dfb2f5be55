// Breaks the text of a turn into subtitle lines. Pure.

/** Longest cue, characters: two lines on the screen. */
const MAX_LENGTH = 84;

const WORDS = new Intl.Segmenter('und', { granularity: 'word' });
const LETTERS = new Intl.Segmenter('und', { granularity: 'grapheme' });

/** Splits `text` (words separated by single spaces) into at least `atLeast` lines, if it has that many words. None is too long. */
export function linesOf(text: string, atLeast: number): string[] {
  const longest = Math.min(MAX_LENGTH, Math.ceil(text.length / Math.max(1, atLeast)));
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const joined = line === '' ? word : `${line} ${word}`;
    if (joined.length <= longest) {
      line = joined;
      continue;
    }
    if (line !== '') lines.push(line);
    // A word that is too long: a URL, or text in a language without spaces.
    const pieces = word.length <= MAX_LENGTH ? [word] : cut(word);
    for (const piece of pieces.slice(0, -1)) lines.push(piece);
    line = pieces.at(-1) ?? '';
  }
  return [...lines, line];
}

/** Cuts at word boundaries that Intl.Segmenter finds, and a single long word between letters. */
function cut(word: string): string[] {
  const pieces: string[] = [];
  let piece = '';
  for (const next of smallPieces(word)) {
    if (piece !== '' && piece.length + next.length > MAX_LENGTH) {
      pieces.push(piece);
      piece = '';
    }
    piece += next;
  }
  return [...pieces, piece];
}

function* smallPieces(word: string): Generator<string> {
  for (const { segment } of WORDS.segment(word)) {
    if (segment.length <= MAX_LENGTH) yield segment;
    else for (const letter of LETTERS.segment(segment)) yield letter.segment;
  }
}
