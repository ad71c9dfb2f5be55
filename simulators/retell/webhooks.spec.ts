import { describe, expect, it } from 'vitest';
import { signBody } from './webhooks.js';

describe('signBody', () => {
  it('signs body and time with the API key, as Retell does', () => {
    expect(signBody('{"event":"call_ended","call":{}}', 'key_test', 1_760_000_000_000)).toBe(
      'v=1760000000000,d=092fc8b914129d9edb8b00b6edf8152f74d2f1e74a5c804986f7586143bfa3aa',
    );
  });
});
