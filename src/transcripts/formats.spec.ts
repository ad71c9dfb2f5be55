import { describe, expect, it } from 'vitest';
import { formatOf } from './formats.js';

describe('formatOf', () => {
  it.each([
    [undefined, 'json'],
    ['', 'json'],
    ['*/*', 'json'],
    ['application/*', 'json'],
    ['text/*', 'text'],
    ['text/plain', 'text'],
    ['text/vtt', 'vtt'],
    ['application/x-subrip', 'srt'],
    ['Text/VTT;charset=utf-8', 'vtt'],
    ['text/html, text/vtt;q=0.8, application/x-subrip;q=0.9', 'srt'],
    ['text/plain;q=0, text/vtt', 'vtt'],
    ['text/html, */*;q=0.1', 'json'],
  ])('for Accept %s is %s', (accept, format) => {
    expect(formatOf(accept)).toBe(format);
  });

  it.each(['text/html', 'text/vtt;q=0', 'audio/mpeg'])('refuses Accept %s', (accept) => {
    expect(() => formatOf(accept)).toThrow(expect.objectContaining({ code: 'not_acceptable' }));
  });
});
