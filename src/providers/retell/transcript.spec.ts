import { describe, expect, it } from 'vitest';
import { call } from './payload.js';
import { toTurns } from './transcript.js';

const turnsOf = (items: unknown[]) =>
  toTurns(call.parse({ call_id: 'c', transcript_object: items }).transcript_object ?? []);

const words = (start: number, end: number) => [
  { word: 'first', start, end: start + 0.1 },
  { word: 'last', start: end - 0.1, end },
];

describe('toTurns', () => {
  it('keeps and numbers the provider’s order, whatever the times say', () => {
    const turns = turnsOf([
      { role: 'agent', content: 'Hello', words: words(0, 1.5) },
      { role: 'user', content: 'Hi', words: words(9, 9.5) },
      { role: 'agent', content: 'Earlier', words: words(2, 3) },
    ]);
    expect(turns.map(({ index, text, start_ms, end_ms }) => [index, text, start_ms, end_ms])).toEqual([
      [0, 'Hello', 0, 1500],
      [1, 'Hi', 9000, 9500],
      [2, 'Earlier', 2000, 3000],
    ]);
  });

  it('maps the speaker’s role', () => {
    const roles = ['agent', 'user', 'transfer_target', 'node_transition', 'constructor', 'of_tomorrow'];
    expect(turnsOf(roles.map((role) => ({ role, content: 'x' }))).map(({ role }) => role)).toEqual([
      ...['agent', 'customer', 'human_agent', 'event', 'event', 'event'],
    ]);
  });

  it('takes the time of an item without words from time_sec, else from the end of the previous item', () => {
    const turns = turnsOf([
      { role: 'dtmf', digit: '5' },
      { role: 'user', content: 'Hi', words: words(1, 2) },
      { role: 'dtmf', digit: '5' },
      { role: 'sms', content: 'sent', time_sec: 7.25 },
    ]);
    expect(turns.map(({ start_ms }) => start_ms)).toEqual([null, 1000, 2000, 7250]);
    expect(turns.map(({ text }) => text)).toEqual(['dtmf 5', 'Hi', 'dtmf 5', 'sent']);
  });

  it('contains arguments and result of a tool, as JSON if they parse', () => {
    const [asked, answered, failed] = turnsOf([
      { role: 'tool_call_invocation', tool_call_id: 't1', name: 'look_up', arguments: '{"order":"A-17"}' },
      { role: 'tool_call_result', tool_call_id: 't1', content: '{"state":"sent"}', successful: true },
      { role: 'tool_call_result', tool_call_id: 't2', content: 'not { JSON', successful: false },
    ]);
    expect(asked).toMatchObject({ role: 'tool_call', text: null });
    expect(asked?.tool).toMatchObject({ id: 't1', name: 'look_up', arguments: { order: 'A-17' }, ok: null });
    expect(answered).toMatchObject({ role: 'tool_result', text: null });
    expect(answered?.tool).toMatchObject({ id: 't1', result: { state: 'sent' }, ok: true });
    expect(failed?.tool).toMatchObject({ id: 't2', result: 'not { JSON', ok: false });
  });

  it('describes events that are not speech', () => {
    const [node, dtmf] = turnsOf([
      { role: 'node_transition', former_node_name: 'greeting', new_node_name: 'payment' },
      { role: 'dtmf' },
    ]);
    expect([node?.text, dtmf?.text]).toEqual(['greeting → payment', 'dtmf']);
  });
});
