import { describe, expect, it } from 'vitest';
import { isUnchanged, oneOrMore, requireMatch } from './api-response.js';
import { z } from 'zod';

describe('isUnchanged', () => {
  it.each([
    [undefined, false],
    ['"3"', true],
    ['W/"3"', true],
    ['"2", "3"', true],
    ['*', true],
    ['"33"', false],
    ['3', false],
  ])('If-None-Match %s against "3": %s', (header, expected) => {
    expect(isUnchanged(header, '"3"')).toBe(expected);
  });
});

describe('requireMatch', () => {
  it.each([undefined, '"3"', '"1", "3"', '*'])('lets If-Match %s pass', (header) => {
    expect(() => requireMatch(header, 3)).not.toThrow();
  });

  it.each(['"2"', 'W/"3"', '3', ''])('refuses If-Match %s and returns the current version', (header) => {
    expect(() => requireMatch(header, 3)).toThrow(
      expect.objectContaining({ code: 'precondition_failed', headers: { etag: '"3"' } }),
    );
  });
});

describe('oneOrMore', () => {
  it('makes an array of one value and of several', () => {
    const schema = oneOrMore(z.enum(['a', 'b']));
    expect([schema.parse('a'), schema.parse(['a', 'b'])]).toEqual([['a'], ['a', 'b']]);
    expect(schema.safeParse('c').success).toBe(false);
  });
});
