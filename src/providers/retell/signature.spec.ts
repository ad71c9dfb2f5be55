import { describe, expect, it } from 'vitest';
import { verifySignature } from './signature.js';

/** Computed with the provider's own SDK. */
const VECTOR = {
  secret: 'key_test',
  body: '{"event":"call_ended","call":{}}',
  atMs: 1_760_000_000_000,
  digest: '092fc8b914129d9edb8b00b6edf8152f74d2f1e74a5c804986f7586143bfa3aa',
};
const HEADER = `v=${VECTOR.atMs},d=${VECTOR.digest}`;
const MINUTE_MS = 60_000;

interface Attempt {
  body?: string;
  header?: string | string[] | undefined;
  atMs?: number;
  apiKey?: string;
  webhookSecret?: string | null;
}

const verified = (attempt: Attempt = {}): boolean =>
  verifySignature(
    {
      rawBody: Buffer.from(attempt.body ?? VECTOR.body),
      headers: { 'x-retell-signature': 'header' in attempt ? attempt.header : HEADER },
      nowMs: attempt.atMs ?? VECTOR.atMs,
    },
    { apiKey: attempt.apiKey ?? VECTOR.secret, webhookSecret: attempt.webhookSecret ?? null, baseUrl: null },
  );

describe('verifySignature', () => {
  it('accepts the test vector, at its own time', () => {
    expect(verified()).toBe(true);
  });

  it.each([-5 * MINUTE_MS, -1, 1, 5 * MINUTE_MS])('accepts a clock that is off by %i ms', (offset) => {
    expect(verified({ atMs: VECTOR.atMs + offset })).toBe(true);
  });

  it.each([-5 * MINUTE_MS - 1, 5 * MINUTE_MS + 1])('refuses a clock that is off by %i ms', (offset) => {
    expect(verified({ atMs: VECTOR.atMs + offset })).toBe(false);
  });

  it('accepts hexadecimal digits of either case', () => {
    expect(verified({ header: `v=${VECTOR.atMs},d=${VECTOR.digest.toUpperCase()}` })).toBe(true);
  });

  it('uses the webhook secret if there is one, and then not the API key', () => {
    expect(verified({ apiKey: 'another', webhookSecret: VECTOR.secret })).toBe(true);
    expect(verified({ apiKey: VECTOR.secret, webhookSecret: 'another' })).toBe(false);
  });

  it.each<[string, Attempt]>([
    ['another secret', { apiKey: 'key_tesT' }],
    ['a body with one byte more', { body: `${VECTOR.body} ` }],
    ['a body with other white space', { body: VECTOR.body.replace(':', ': ') }],
    ['another time than the one that is signed', { header: `v=${VECTOR.atMs + 1},d=${VECTOR.digest}` }],
    ['no header', { header: undefined }],
    ['an empty header', { header: '' }],
    ['two headers', { header: [HEADER, HEADER] }],
    ['a digest that is cut', { header: HEADER.slice(0, -1) }],
    ['something after the digest', { header: `${HEADER},d=00` }],
    ['a digest that is no hexadecimal', { header: `v=${VECTOR.atMs},d=${'z'.repeat(64)}` }],
    ['a time that is no number', { header: `v=now,d=${VECTOR.digest}` }],
    ['the other way round', { header: `d=${VECTOR.digest},v=${VECTOR.atMs}` }],
  ])('refuses %s', (_, attempt) => {
    expect(verified(attempt)).toBe(false);
  });
});
