import { describe, expect, it } from 'vitest';
import { NotYet } from './retry-later.js';

describe('NotYet', () => {
  it('says what is waited for and when to try again', () => {
    const error = new NotYet('the recording', 500);
    expect([error.name, error.message, error.retryInMs]).toEqual(['NotYet', 'waiting for the recording', 500]);
  });
});
