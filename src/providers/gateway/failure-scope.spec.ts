import { describe, expect, it } from 'vitest';
import { EgressRefusal } from '../../egress/refusal.js';
import { brokenOff, ProviderError } from '../provider.js';
import { blameOf, mayPassOver } from './failure-scope.js';
import { NotWelcome } from './persistence.js';

describe('blameOf', () => {
  it('is the account, when it is refused or to stay away', () => {
    for (const status of [401, 403]) expect(blameOf(new ProviderError(status, false))).toBe('account');
    expect(blameOf(new ProviderError(429, true))).toBe('account');
    expect(blameOf(new NotWelcome(503, true, undefined, 60_000))).toBe('account');
    expect(blameOf(new ProviderError(503, true, undefined, 60_000))).toBe('account');
  });

  it('is the account, when its address is not allowed, and the conversation, when its document is not', () => {
    // As an SDK hands it on.
    const refused = (code: EgressRefusal['code']): ProviderError =>
      brokenOff(new Error('failed', { cause: new EgressRefusal(code) }));
    expect(blameOf(refused('address_not_allowed'))).toBe('account');
    expect(refused('answer_too_large')).toMatchObject({ retryable: false, problem: 'answer_too_large' });
    expect(blameOf(refused('answer_too_large'))).toBe('conversation');
  });

  it('is the conversation, when asking again would be answered the same', () => {
    for (const status of [400, 410, 422]) expect(blameOf(new ProviderError(status, false))).toBe('conversation');
  });

  it('is unclear, when the provider failed or was not reached', () => {
    for (const status of [null, 408, 500, 503]) expect(blameOf(new ProviderError(status, true))).toBe('unclear');
    expect(blameOf(new ProviderError(503, true, undefined, 1_000))).toBe('unclear');
  });
});

describe('mayPassOver', () => {
  it('is true at once, when another conversation is answered', () => {
    expect(mayPassOver('answered', 1)).toBe(true);
  });

  it('is never true, while another one fails as well', () => {
    expect(mayPassOver('failed', 1_000)).toBe(false);
  });

  it('is true after some attempts, when no other can be asked for', () => {
    expect([1, 4, 5, 6].map((attempt) => mayPassOver('unasked', attempt))).toEqual([false, false, true, true]);
  });
});
