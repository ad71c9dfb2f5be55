import { describe, expect, it } from 'vitest';
import { findTranscript } from './demo.js';
import type { OwnApi } from './own-api.js';

const GREETING = '[00:00] Agent: Hello, this is the support line.\n';
const TALK = `${GREETING}[00:04] Customer: I was charged twice.\n[00:09] Agent: I am sorry.\n[00:12] Customer: Thanks.\n`;
const TOOLS = `${GREETING}[00:02] Tool call: look_up\n[00:02] Tool result: look_up Customer: none\n[00:03] Event: dtmf 1\n`;

/** The list at each look, newest first: id → transcript as text; null while it is awaited. */
const reading = (...looks: Record<string, string | null>[]): OwnApi => {
  let look: Record<string, string | null> = {};
  const unused = (): never => {
    throw new Error('not for reading');
  };
  return {
    get: () => {
      look = looks.shift() ?? look;
      const data = Object.entries(look).map(([id, text]) => ({
        id,
        turn_count: text?.trimEnd().split('\n').length ?? 0,
        completeness: { transcript: { state: text === null ? 'pending' : 'present' } },
      }));
      return Promise.resolve({ data });
    },
    text: (path) => Promise.resolve(look[/conversations\/(\w+)\//.exec(path)?.[1] ?? ''] ?? undefined),
    post: unused,
    patch: unused,
  };
};
const pathOf = (id: string): string => `/v1/conversations/${id}/transcript?format=text`;

describe('findTranscript', () => {
  it('prefers a conversation in which both speak', async () => {
    const reader = reading({ conv_1: null, conv_2: GREETING, conv_3: TOOLS, conv_4: TALK });
    expect(await findTranscript(reader, 0)).toBe(pathOf('conv_4'));
  });

  it('waits for one in which both speak', async () => {
    const reader = reading({ conv_1: GREETING }, { conv_2: TALK, conv_1: GREETING });
    expect(await findTranscript(reader, 10_000)).toBe(pathOf('conv_2'));
  });

  it('shows a short one if there is no other, and nothing if there is none', async () => {
    expect(await findTranscript(reading({ conv_1: TOOLS, conv_2: GREETING }), 0)).toBe(pathOf('conv_1'));
    expect(await findTranscript(reading({ conv_1: null }), 0)).toBeUndefined();
  });
});
