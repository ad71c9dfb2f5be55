// The result of a conversation, from what was said and not from the plan: the transcript supports everything in the
// summary.
import { fill, type Line, type Slots } from './lines.js';
import { PHRASES } from './phrases.js';
import type { Language } from './people.js';
import type { Topic } from './topic.js';

/** The planned content of a conversation. */
export interface Matter {
  topic: Topic;
  language: Language;
  slots: Slots;
}

/** One utterance: who spoke, and the words. */
export interface Said {
  isCustomer: boolean;
  text: string;
}

/** How far it got. `unheard`: only the agent spoke; `settled`: everything in the topic's summary was said. */
export type Result = 'unheard' | 'wrong_number' | 'unfinished' | 'settled';

/** Whether every spoken one of these lines was said. */
export function wereSaid(lines: readonly Line[], said: readonly Said[], slots: Slots): boolean {
  const spoken = fill(lines, slots).filter((line) => typeof line === 'string');
  return spoken.every((line) => said.some(({ text }) => text.startsWith(line.slice(3))));
}

export function resultOf({ topic, language, slots }: Matter, said: readonly Said[]): Result {
  if (!said.some(({ isCustomer }) => isCustomer)) return 'unheard';
  if (wereSaid(PHRASES[language].wrongNumber, said, slots)) return 'wrong_number';
  return wereSaid(topic.exchanges.flat(), said, slots) ? 'settled' : 'unfinished';
}

/** Whether the customer was promised a call back. */
export const isCallBackWanted = ({ language, slots }: Matter, said: readonly Said[]): boolean =>
  wereSaid(PHRASES[language].colleagueBusy, said, slots);

/** The first part of a summary: the customer's request. How the conversation ended comes after it. */
export function summaryOf({ topic, slots }: Matter, result: Result): string {
  const unfinished = `{first} and the agent spoke about ${topic.matter}; it was not settled.`;
  const texts: Record<Result, string> = {
    unheard: 'Nothing was heard from the customer.',
    wrong_number: 'It was a wrong number.',
    unfinished,
    settled: topic.summary,
  };
  return fill(texts[result], slots);
}
