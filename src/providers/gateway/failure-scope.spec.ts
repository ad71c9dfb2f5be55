import { describe, expect, it } from 'vitest';
import { EgressRefusal } from '../../egress/refusal.js';
import { transportError, ProviderError } from '../provider.js';
import { scopeOf, maySkip } from './failure-scope.js';
import { AccountOnHold } from './retry-policy.js';

describe('scopeOf', () => {
  it('is the account if credentials are refused or the account is on hold', () => {
    for (const status of [401, 403]) expect(scopeOf(new ProviderError(status, false))).toBe('account');
    expect(scopeOf(new ProviderError(429, true))).toBe('account');
    expect(scopeOf(new AccountOnHold(503, true, undefined, 60_000))).toBe('account');
    expect(scopeOf(new ProviderError(503, true, undefined, 60_000))).toBe('account');
  });

  it('is the account if its address is not allowed, and the conversation if its document is not', () => {
    // As an SDK passes it on.
    const refused = (code: EgressRefusal['code']): ProviderError =>
      transportError(new Error('failed', { cause: new EgressRefusal(code) }));
    expect(scopeOf(refused('address_not_allowed'))).toBe('account');
    expect(refused('answer_too_large')).toMatchObject({ retryable: false, problem: 'answer_too_large' });
    expect(scopeOf(refused('answer_too_large'))).toBe('conversation');
  });

  it('is the conversation if a retry would get the same answer', () => {
    for (const status of [400, 410, 422]) expect(scopeOf(new ProviderError(status, false))).toBe('conversation');
  });

  it('is unclear if the provider failed or was not reached', () => {
    for (const status of [null, 408, 500, 503]) expect(scopeOf(new ProviderError(status, true))).toBe('unclear');
    expect(scopeOf(new ProviderError(503, true, undefined, 1_000))).toBe('unclear');
  });
});

describe('maySkip', () => {
  it('is true at once if another conversation is answered', () => {
    expect(maySkip('answered', 1)).toBe(true);
  });

  it('is never true while another conversation fails as well', () => {
    expect(maySkip('failed', 1_000)).toBe(false);
  });

  it('is true after some attempts if no other conversation can be requested', () => {
    expect([1, 4, 5, 6].map((attempt) => maySkip('unasked', attempt))).toEqual([false, false, true, true]);
  });
});
