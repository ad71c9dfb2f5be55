import { describe, expect, it } from 'vitest';
import { RetryLater } from './retry-later.js';

describe('RetryLater', () => {
  it('says what is missing and when to try again', () => {
    const error = new RetryLater('the recording', 500);
    expect([error.name, error.message, error.retryInMs]).toEqual(['RetryLater', 'waiting for the recording', 500]);
  });
});
