import { describe, expect, it } from 'vitest';
import type { Turn, TurnRole } from '../providers/provider-fact.js';
import { cuesOf } from './cues.js';

type Said = [role: TurnRole, text: string | null, start: number | null, end: number | null];

const turnsOf = (...said: Said[]): Turn[] =>
  said.map(([role, text, start_ms, end_ms], index) => ({
    index,
    role,
    text,
    start_ms,
    end_ms,
    agent_id: null,
    interrupted: null,
    tool: null,
    latency_ms: null,
  }));
const times = (...said: Said[]): [number, number][] => cuesOf(turnsOf(...said)).map(({ start, end }) => [start, end]);

describe('cuesOf', () => {
  it('uses the times of the provider', () => {
    expect(cuesOf(turnsOf(['agent', 'Hello.', 0, 1200], ['customer', 'Hi!', 1500, 2100]))).toEqual([
      { turnIndex: 0, part: 0, speaker: 'Agent', text: 'Hello.', start: 0, end: 1200 },
      { turnIndex: 1, part: 0, speaker: 'Customer', text: 'Hi!', start: 1500, end: 2100 },
    ]);
  });

  it('contains only spoken turns with text', () => {
    const cues = cuesOf(
      turnsOf(
        ['system', 'prompt', 0, 1],
        ['agent', ' \n\t', 0, 1],
        ['customer', null, 0, 1],
        ['tool_call', 'x', 0, 1],
        ['event', 'dtmf 1', 0, 1],
        ['human_agent', 'Me\u0000\r\nagain', 5, 1005],
      ),
    );
    expect(cues.map(({ turnIndex, speaker, text }) => [turnIndex, speaker, text])).toEqual([
      [5, 'Human agent', 'Me again'],
    ]);
  });

  it('lets a turn without an end last as long as its text needs, but not into the next turn', () => {
    expect(times(['agent', 'x'.repeat(20), 1000, null], ['customer', 'ok', 9000, 9500])[0]).toEqual([1000, 2300]);
    expect(times(['agent', 'x'.repeat(20), 1000, null], ['customer', 'ok', 1500, 2000])[0]).toEqual([1000, 1500]);
  });

  it('fills in missing times from neighbouring turns, in proportion to the text', () => {
    const long = 'x'.repeat(20);
    expect(
      times(
        ['agent', long, 0, 1000],
        ['customer', long, null, null],
        ['agent', long, null, null],
        ['customer', 'ok', 2000, 3000],
      ),
    ).toEqual([
      [0, 1000],
      [1000, 1500],
      [1500, 2000],
      [2000, 3000],
    ]);
  });

  it('begins at 0 if no time is known at all', () => {
    expect(times(['agent', 'x'.repeat(20), null, null], ['customer', 'x'.repeat(20), null, null])).toEqual([
      [0, 1300],
      [1300, 2600],
    ]);
  });

  it('shows overlapping turns one after the other', () => {
    expect(times(['agent', 'I was about to', 0, 5000], ['customer', 'Yes', 3000, 4000])).toEqual([
      [0, 3000],
      [3000, 4000],
    ]);
  });

  it('divides the time up to the next later start among turns that begin at the same time', () => {
    const said = 'x'.repeat(20);
    expect(times(['agent', said, 3000, null], ['customer', said, 3000, null], ['agent', said, 5000, null])).toEqual([
      [3000, 4000],
      [4000, 5000],
      [5000, 6300],
    ]);
  });

  it('keeps the order of the turns even if their times do not, and then returns to the given times', () => {
    expect(times(['agent', 'a', 5000, 6000], ['customer', 'b', 1000, 2000], ['agent', 'c', 7000, 8000])).toEqual([
      [5000, 6000],
      [6000, 6200],
      [7000, 8000],
    ]);
  });

  it('splits a long turn between words, by time', () => {
    const words = Array.from({ length: 60 }, (_, index) => `word${index}`).join(' ');
    const cues = cuesOf(turnsOf(['agent', words, 0, 30_000], ['customer', 'ok', 30_000, 31_000])).slice(0, -1);
    expect(cues.length).toBeGreaterThan(4);
    expect(cues.map(({ text }) => text).join(' ')).toBe(words);
    for (const { text, start, end } of cues) {
      expect(text.length).toBeLessThanOrEqual(84);
      expect(end - start).toBeLessThanOrEqual(7_000);
    }
    expect([cues[0]?.start, cues.at(-1)?.end]).toEqual([0, 30_000]);
  });

  it('splits a language without spaces at word boundaries', () => {
    const text = '今日はとても良い天気ですね。'.repeat(12);
    const cues = cuesOf(turnsOf(['customer', text, 0, 20_000]));
    expect(cues.length).toBeGreaterThan(1);
    expect(cues.map((cue) => cue.text).join('')).toBe(text);
  });

  it('splits a turn of any length', () => {
    const lines = Array.from({ length: 150_000 }, () => 'x'.repeat(84));
    expect(cuesOf(turnsOf(['agent', lines.join(' '), 0, null]))).toHaveLength(lines.length);
  });
});
