import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '../common/errors.js';
import { parseStrictJson } from './strict-json.js';

const parse = (text: string | Buffer): unknown => parseStrictJson(Buffer.from(text));
const codeOf = (text: string | Buffer): string => {
  try {
    parse(text);
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
  return 'taken';
};
const nested = (depth: number, [open, close] = ['[', ']']): string => open.repeat(depth) + close.repeat(depth);

describe('strict JSON', () => {
  it('accepts whatever JSON.stringify produces of valid values', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5, noUnicodeString: false }), (value) => {
        const text = JSON.stringify(value, null, 1);
        fc.pre(!/\\u0000|\\ud[89a-f]|__proto__/i.test(text));
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each([
    ['a name twice', '{"a":1,"b":{"a":1},"a":2}'],
    ['a name twice, once escaped', '{"a":1,"\\u0061":2}'],
    ['a name twice deep inside', '[{"a":[{"b":1 , "b" : 2}]}]'],
    ['a lone high surrogate', '"\\ud800"'],
    ['a lone low surrogate in a name', '{"\\udc00":1}'],
    ['surrogates in the wrong order', '["\\udc00\\ud800"]'],
    ['NUL', '{"a":"b\\u0000"}'],
    ['NUL in a name', '{"\\u0000":1}'],
    ['__proto__', '{"__proto__":{"a":1}}'],
    ['an escaped __proto__', '{"__pr\\u006fto__":{"a":1}}'],
    ['a prototype', '{"constructor":{"prototype":{"a":1}}}'],
    ['33 levels', nested(33)],
    ['10,000 levels', nested(10_000)],
    ['500,000 levels', nested(500_000)],
    ['33 levels of objects', `${'{"a":'.repeat(33)}1${'}'.repeat(33)}`],
    ['nothing', ''],
    ['half of it', '{"a":'],
    ['two values', '{} {}'],
    ['a comment', '{} // a'],
  ])('refuses %s', (_, text) => expect(codeOf(text)).toBe('invalid_request'));

  it.each([
    ['a byte of Latin-1', Buffer.from('{"a":"\xe9"}', 'latin1')],
    ['a surrogate in CESU-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['a cut character', Buffer.from([0x22, 0xe2, 0x82, 0x22])],
  ])('refuses %s', (_, bytes) => expect(codeOf(bytes)).toBe('invalid_request'));

  it.each([
    ['32 levels', nested(32)],
    ['the same name in two objects', '[{"a":1},{"a":1},{"b":{"a":1}}]'],
    ['texts that look like syntax', '{"a":"\\"{[:]}","b":["a","a:","\\\\"],"\\\\":1}'],
    ['a pair of surrogates', '"\\ud83d\\ude00"'],
    ['a constructor', '{"constructor":"prototype","prototype":{"prototype":1}}'],
    ['names that only begin alike', '{"a":1,"a ":2,"":3}'],
  ])('takes %s', (_, text) => expect(parse(text)).toEqual(JSON.parse(text)));

  it('checks a MiB of quotes in a fraction of a second', () => {
    const text = JSON.stringify(Array.from({ length: 50_000 }, (_, index) => ({ [`n${index}`]: '\\"' })));
    const begun = performance.now();
    parse(text);
    expect(performance.now() - begun).toBeLessThan(1_000);
  });
});
