// Whatever people say and whatever times a provider sends: the files parse, in order, with every word.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Turn } from '../../src/providers/provider-fact.js';
import { subRip, webVtt } from '../../src/transcripts/subtitles.js';
import { parseSrt, parseVtt, type ParsedCue } from './subtitle-parsers.js';

const NASTY = [
  '-->',
  '00:00:01.000 --> 00:00:02.000',
  '<b>',
  '</v>',
  '&amp;',
  '&',
  '\n\n',
  '\r\n',
  'WEBVTT',
  'NOTE x',
  '42',
];
const nasty = fc.constantFrom(
  ...NASTY,
  '{\\an8}',
  '\u2028',
  '\u0085',
  '\u0000',
  'long'.repeat(60),
  '今日は'.repeat(40),
);
const text = fc
  .array(fc.oneof(fc.string({ unit: 'binary', maxLength: 30 }), fc.lorem(), nasty), { maxLength: 12 })
  .map((parts) => parts.join(' '));
const time = fc.option(fc.oneof(fc.integer({ min: 0, max: 600_000 }), fc.integer()), { nil: null });
const turn: fc.Arbitrary<Omit<Turn, 'index'>> = fc.record({
  role: fc.constantFrom('customer', 'agent', 'human_agent', 'tool_call', 'tool_result', 'event', 'system'),
  text: fc.option(text, { nil: null }),
  start_ms: time,
  end_ms: time,
  agent_id: fc.constant(null),
  interrupted: fc.constant(null),
  tool: fc.constant(null),
  latency_ms: fc.constant(null),
});
const turns = fc.array(turn, { maxLength: 12 }).map((all): Turn[] => all.map((one, index) => ({ index, ...one })));

const SPOKEN = { customer: 'Customer', agent: 'Agent', human_agent: 'Human agent' } as Record<string, string>;
/** Everything that is visible on a screen, after UTF-8 encoding, which replaces lone surrogates. */
const letters = (words: string): string =>
  Buffer.from(words)
    .toString()
    .replaceAll(/[\s\p{Cc}]/gu, '');
const saidBy = (speaker: string, cues: ParsedCue[]): string =>
  letters(
    cues
      .filter((cue) => cue.speaker === speaker)
      .map((cue) => cue.text)
      .join(' '),
  );

function expectWhole(cues: ParsedCue[], all: Turn[]): void {
  let free = 0;
  for (const { start, end } of cues) {
    expect(start).toBeGreaterThanOrEqual(free);
    free = end;
  }
  for (const [role, speaker] of Object.entries(SPOKEN)) {
    const said = all.filter((one) => one.role === role).map((one) => one.text ?? '');
    expect(saidBy(speaker, cues)).toBe(letters(said.join(' ')));
  }
}

const sent = (file: string): string => Buffer.from(file).toString();

describe('subtitles', () => {
  it('in WebVTT parse, in order, without overlap, with every word', () => {
    fc.assert(
      fc.property(turns, (all) => {
        const cues = parseVtt(sent(webVtt(all)));
        expectWhole(cues, all);
        expect(new Set(cues.map(({ id }) => id)).size).toBe(cues.length);
      }),
      { numRuns: 300 },
    );
  });

  it('in SubRip parse, in order, without overlap, with every word', () => {
    fc.assert(
      fc.property(turns, (all) => expectWhole(parseSrt(sent(subRip(all))), all)),
      { numRuns: 300 },
    );
  });

  it('in SubRip name the speaker at the first cue of each turn only', () => {
    fc.assert(
      fc.property(turns, (all) => {
        const first = parseVtt(sent(webVtt(all))).map(({ id }) => /^\d+$/.test(id));
        expect(parseSrt(sent(subRip(all))).map(({ named }) => named)).toEqual(first);
      }),
      { numRuns: 300 },
    );
  });

  it('of a growing transcript are the end of those of the whole', () => {
    fc.assert(
      fc.property(turns, fc.integer({ min: -1, max: 12 }), (all, after) => {
        const rest = parseVtt(sent(webVtt(all, after)));
        const whole = parseVtt(sent(webVtt(all)));
        expect(rest).toEqual(whole.filter(({ id }) => Number.parseInt(id, 10) > after));
      }),
      { numRuns: 100 },
    );
  });

  it('look like this', () => {
    const base = { agent_id: null, interrupted: null, tool: null, latency_ms: null };
    const all: Turn[] = [
      { ...base, index: 0, role: 'agent', text: 'Is 3 < 4 & 5 --> 6?', start_ms: 0, end_ms: 1500 },
      { ...base, index: 1, role: 'tool_call', text: null, start_ms: 1500, end_ms: null },
      { ...base, index: 2, role: 'customer', text: '<i>Yes</i>', start_ms: 3_661_007, end_ms: 3_662_000 },
    ];
    expect(webVtt(all)).toBe(
      'WEBVTT\n\n0\n00:00:00.000 --> 00:00:01.500\n<v Agent>Is 3 &lt; 4 &amp; 5 --&gt; 6?\n\n' +
        '2\n01:01:01.007 --> 01:01:02.000\n<v Customer>&lt;i&gt;Yes&lt;/i&gt;\n',
    );
    expect(subRip(all)).toBe(
      '1\n00:00:00,000 --> 00:00:01,500\nAgent: Is 3 < 4 & 5 -- > 6?\n\n' +
        '2\n01:01:01,007 --> 01:01:02,000\nCustomer: < i>Yes< /i>\n',
    );
    expect([webVtt([]), subRip([])]).toEqual(['WEBVTT\n', '']);
  });
});
