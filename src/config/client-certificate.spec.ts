// A client certificate for Temporal must be set together with its key.
import { expect, it } from 'vitest';
import { parseConfig } from './config.js';

it.each([
  [{ TEMPORAL_TLS_CERT_FILE: '/tls/client.pem' }, /^TEMPORAL_TLS_KEY_FILE is missing/],
  [{ TEMPORAL_TLS_KEY_FILE: '/tls/client.key' }, /^TEMPORAL_TLS_CERT_FILE is missing/],
])('half of it stops the start: %o', (env, sentence) => {
  expect(() => parseConfig(env)).toThrow(sentence);
});

it('both or none are accepted', () => {
  const both = parseConfig({ TEMPORAL_TLS_CERT_FILE: '/a', TEMPORAL_TLS_KEY_FILE: '/b' });
  expect(both.temporal.tls).toMatchObject({ certFile: '/a', keyFile: '/b' });
  expect(parseConfig({}).temporal.tls).toMatchObject({ certFile: undefined, keyFile: undefined });
});
