import { describe, expect, it } from 'vitest';
import { isRangeWanted, rangeOf } from './range.js';

const part = (start: number, end: number) => ({ kind: 'part', start, end });

describe('rangeOf', () => {
  it.each([
    ['bytes=0-0', part(0, 0)],
    ['bytes=0-99', part(0, 99)],
    ['bytes=10-', part(10, 99)],
    ['bytes=90-1000', part(90, 99)],
    ['bytes=-1', part(99, 99)],
    ['bytes=-1000', part(0, 99)],
    ['Bytes=5-6', part(5, 6)],
  ])('serves the part that %s asks for', (header, expected) => {
    expect(rangeOf(header, 100)).toEqual(expected);
  });

  it.each([['bytes=100-'], ['bytes=100-200'], ['bytes=-0']])('calls %s unsatisfiable', (header) => {
    expect(rangeOf(header, 100)).toEqual({ kind: 'unsatisfiable' });
  });

  it.each([[undefined], ['bytes=-'], ['bytes=5-4'], ['bytes=0-1,3-4'], ['items=0-1'], ['bytes=a-b'], ['bytes 0-1']])(
    'serves the whole for %s',
    (header) => {
      expect(rangeOf(header, 100)).toEqual({ kind: 'whole' });
    },
  );

  it('finds any range of an empty body unsatisfiable', () => {
    expect(rangeOf('bytes=0-', 0)).toEqual({ kind: 'unsatisfiable' });
    expect(rangeOf(undefined, 0)).toEqual({ kind: 'whole' });
  });
});

describe('isRangeWanted', () => {
  it('is true only for the same entity tag', () => {
    expect(isRangeWanted(undefined, '"a"')).toBe(true);
    expect(isRangeWanted('"a"', '"a"')).toBe(true);
    expect(isRangeWanted('"b"', '"a"')).toBe(false);
    expect(isRangeWanted('W/"a"', '"a"')).toBe(false);
    expect(isRangeWanted('Mon, 23 Nov 2026 08:00:00 GMT', '"a"')).toBe(false);
  });
});
