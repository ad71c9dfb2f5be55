// Range requests (RFC 9110 14): one satisfiable range is served; several or malformed ones are ignored. Pure.

export type RangeAnswer = { kind: 'whole' } | { kind: 'part'; start: number; end: number } | { kind: 'unsatisfiable' };

const WHOLE: RangeAnswer = { kind: 'whole' };
const SINGLE = /^bytes=\s*(\d*)-(\d*)\s*$/i;

/** The part of a body of `size` bytes that a Range header requests; `end` is inclusive. */
export function rangeOf(header: string | undefined, size: number): RangeAnswer {
  const [, first, last] = (header === undefined ? null : SINGLE.exec(header)) ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return WHOLE;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? { kind: 'unsatisfiable' } : { kind: 'part', start: size - length, end: size - 1 };
  }
  const start = Number(first);
  // A last byte before the first byte makes the range malformed, not unsatisfiable.
  if (last !== '' && Number(last) < start) return WHOLE;
  if (start >= size) return { kind: 'unsatisfiable' };
  return { kind: 'part', start, end: last === '' ? size - 1 : Math.min(Number(last), size - 1) };
}

/** If-Range with a strong entity tag: the range applies only to that version. A date never matches, because we send none. */
export const isRangeWanted = (ifRange: string | undefined, etag: string): boolean =>
  ifRange === undefined || ifRange.trim() === etag;
