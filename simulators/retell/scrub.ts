// Retell's redaction of personal data, as far as a simulator needs it: names and digits are blotted out.
import type { TranscriptItem } from './call.js';

function blot(text: string, names: readonly string[]): string {
  const nameless = names.reduce((rest, name) => rest.replaceAll(name, '[person_name]'), text);
  return nameless.replace(/\+?\d[\d -]*\d/g, '[number]');
}

/** A transcript without the given names and without digit runs; words without times that would give them away. */
export function scrubbed(items: readonly TranscriptItem[], names: readonly string[]): TranscriptItem[] {
  return items.map((item) => {
    if ('words' in item) {
      const parts = names.flatMap((name) => name.split(' '));
      const words = item.words.map((word) => ({ ...word, word: blot(word.word, parts) }));
      return { ...item, content: blot(item.content, names), words };
    }
    if (item.role === 'tool_call_invocation') return { ...item, arguments: blot(item.arguments, names) };
    return 'content' in item ? { ...item, content: blot(item.content, names) } : item;
  });
}
