import { readFileSync } from 'node:fs';
import { NotFoundException } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { AppError, PROBLEMS } from '../common/errors.js';
import { asAppError, problemDocument } from './problem.js';

describe('asAppError', () => {
  it('keeps our errors, maps those of the framework by status, and all others to internal', () => {
    const ours = new AppError('conflict', 'taken');
    const tooLarge = Object.assign(new Error('body'), { code: 'FST_ERR_CTP_BODY_TOO_LARGE', statusCode: 413 });
    expect(asAppError(ours)).toBe(ours);
    expect(asAppError(tooLarge).code).toBe('too_large');
    expect(asAppError(new NotFoundException()).code).toBe('not_found');
    for (const odd of [
      new Error('number +12025550142'),
      'text',
      null,
      Object.assign(new Error(), { statusCode: 404 }),
    ]) {
      expect(asAppError(odd).code).toBe('internal');
    }
  });
});

describe('problemDocument', () => {
  it('hides the message of internal errors', () => {
    const inside = new AppError('internal', 'the key of conversation 7 is missing');
    expect(problemDocument(inside, 'r-1').detail).toBe('unexpected error; search the log for the request id');
  });

  it('adds members and headers of the error', () => {
    const gone = new AppError('erased', 'The content was erased', {
      members: { erased_at: '2026-01-01T00:00:00.000Z' },
    });
    expect(problemDocument(gone, 'r-1')).toMatchObject({ status: 410, erased_at: '2026-01-01T00:00:00.000Z' });
  });
});

describe('docs/errors.md', () => {
  it('has every code with its status, and no other', () => {
    const rows = [...readFileSync('docs/errors.md', 'utf8').matchAll(/^\|\s*(\d{3})\s*\|\s*`(\w+)`\s*\|/gm)];
    const documented = Object.fromEntries(rows.map(([, status, code]) => [code, Number(status)]));
    const known = Object.fromEntries(Object.entries(PROBLEMS).map(([code, [status]]) => [code, status]));
    expect(documented).toEqual(known);
  });
});
