// A simple version of Retell's redaction of personal data: names and digits are masked.
import type { TranscriptItem } from './call.js';

function blot(text: string, names: readonly string[]): string {
  const nameless = names.reduce((rest, name) => rest.replaceAll(name, '[person_name]'), text);
  return nameless.replace(/\+?\d[\d -]*\d/g, '[number]');
}

/** A transcript with the given names and all digit runs masked, in texts, words and tool calls. */
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
