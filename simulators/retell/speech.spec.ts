import { describe, expect, it } from 'vitest';
import { speechOf, spokenUntil, transcriptFields } from './speech.js';

const lines = [
  'A: Hello, how can I help?',
  'U: I was charged twice.',
  { tool: 'lookup', arguments: { id: 7 }, result: { found: true } },
  { dtmf: '4' },
  { node: ['Start', 'Billing'] as [string, string] },
  { sms: 'See you' },
  'T: Billing, hello.',
];

describe('speechOf', () => {
  it('keeps the order of events and assigns seconds to words', () => {
    const { items, responseMs, durationMs } = speechOf('s', [...lines, 'U: Hi.', 'A: Bye.']);
    expect(items.map((item) => item.role)).toEqual([
      'agent',
      'user',
      'tool_call_invocation',
      'tool_call_result',
      'dtmf',
      'node_transition',
      'sms',
      'transfer_target',
      'user',
      'agent',
    ]);
    expect(items[2]).toMatchObject({ name: 'lookup', arguments: '{"id":7}' });
    expect(items[3]).toMatchObject({ content: '{"found":true}', successful: true });
    expect(responseMs).toHaveLength(1);
    expect(durationMs).toBeGreaterThan(5000);
  });

  it('has no duration when nobody speaks', () => {
    expect(speechOf('s', []).durationMs).toBe(0);
  });
});

describe('spokenUntil', () => {
  it('cuts in the middle of a turn and drops everything after it', () => {
    const { items } = speechOf('s', lines);
    const [first] = items;
    const second = first && 'words' in first ? (first.words[1]?.end ?? 0) : 0;
    expect(spokenUntil(items, second * 1000)).toMatchObject([{ role: 'agent', content: 'Hello, how' }]);
    expect(spokenUntil(items, 0)).toEqual([]);
    expect(spokenUntil(items, 60_000)).toEqual(items);
  });
});

describe('transcriptFields', () => {
  it('renders speech as text, as objects and with tool calls', () => {
    const fields = transcriptFields(speechOf('s', lines).items);
    expect(fields.transcript).toBe(
      'Agent: Hello, how can I help?\nUser: I was charged twice.\nTransfer Target: Billing, hello.\n',
    );
    expect(fields.transcript_object).toHaveLength(3);
    expect(fields.transcript_with_tool_calls).toHaveLength(8);
  });
});
