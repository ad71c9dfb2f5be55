import { describe, expect, it } from 'vitest';
import { CallFailed, refusalOf } from './call-failed.js';

const refused = new CallFailed('invalid_argument', 'command', null);
const unanswered = new CallFailed('unavailable', 'server', null);
const serving = (attempts = 0) => ({ attempts, isServing: true });
const silent = (attempts = 0) => ({ attempts, isServing: false });

describe('a failed call', () => {
  it('counts against its command if Temporal answered it, or answers other calls', () => {
    expect(refusalOf(refused, silent())).toMatchObject({ code: 'invalid_argument' });
    expect(refusalOf(unanswered, serving())).toMatchObject({ code: 'unavailable' });
  });

  it('counts against no command while Temporal answers no calls', () => {
    expect(refusalOf(unanswered, silent(100))).toBeNull();
  });

  it('is retried with growing pauses of at most five minutes', () => {
    const seconds = [0, 1, 2, 3, 8, 9, 500].map((attempts) => refusalOf(refused, silent(attempts))?.retryInMs);
    expect(seconds).toEqual([1_000, 2_000, 4_000, 8_000, 256_000, 300_000, 300_000]);
  });

  it('parks its command at the tenth refusal if Temporal answers other calls', () => {
    expect(refusalOf(refused, serving(8))?.parks).toBe(false);
    expect(refusalOf(refused, serving(9))?.parks).toBe(true);
    expect(refusalOf(refused, silent(9))?.parks).toBe(false);
    expect(refusalOf(refused, serving(10))?.parks).toBe(true);
  });

  it('of our own code is reported by the name of the error, never by its message', () => {
    expect(refusalOf(new TypeError('+49 151 23456789'), silent())?.code).toBe('TypeError');
    expect(refusalOf('+49 151 23456789', silent())?.code).toBe('unknown');
    expect(refusalOf(Object.assign(new Error(''), { name: 'of +49 151' }), silent())?.code).toBe('unknown');
  });
});
