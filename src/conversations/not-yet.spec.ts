import { describe, expect, it } from 'vitest';
import { NotYet, nextTry } from './not-yet.js';

const NOW = 1_760_000_000_000;
const HOUR_MS = 3_600_000;

describe('nextTry', () => {
  it('is quick at first and patient later, while the deadline is far', () => {
    const waits = Array.from({ length: 10 }, (_, index) => nextTry(index + 1, NOW + 24 * HOUR_MS, NOW));
    expect(waits).toEqual([1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000, 300_000, 300_000]);
  });

  it('is never after the deadline', () => {
    expect(nextTry(8, NOW + 1_234, NOW)).toBe(1_234);
  });

  it('is soon but not at once, when the deadline has passed', () => {
    expect(nextTry(1, NOW - HOUR_MS, NOW)).toBe(250);
    expect(nextTry(1, NOW, NOW)).toBe(250);
  });

  it('has no limit but its ladder, when there is no deadline', () => {
    expect(nextTry(3, Infinity, NOW)).toBe(5_000);
  });
});

describe('NotYet', () => {
  it('says what is waited for and when to try again', () => {
    const error = new NotYet('the recording', 500);
    expect([error.name, error.message, error.retryInMs]).toEqual(['NotYet', 'waiting for the recording', 500]);
  });
});
