// ElevenLabs-Signature: t=<unix seconds>,v0=<hex HMAC-SHA-256 of "t.rawBody">, by the webhook's own secret (reference/providers.md 4.1).
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { ProviderCredentials, SignedRequest } from '../provider.js';

const TIME = /^\d{1,12}$/;
const DIGEST = /^[0-9a-f]{64}$/i;
/** Its last retry comes 30 minutes after the one before; whether that one is signed anew is not documented. */
const MAX_AGE_MS = 30 * 60_000;
/** Its own SDK accepts any future time; ours only what clocks may differ. */
const MAX_AHEAD_MS = 5 * 60_000;

/** True when the signature is present, fits the raw bytes, is at most 30 minutes old and at most 5 minutes ahead. */
export function verifySignature({ rawBody, headers, nowMs }: SignedRequest, credentials: ProviderCredentials): boolean {
  const header = headers['elevenlabs-signature'];
  const { webhookSecret: secret } = credentials;
  if (typeof header !== 'string' || !secret) return false;
  const parts = header.split(',').map((part) => part.trim());
  const [time, digest] = [after('t=', parts), after('v0=', parts)];
  if (!TIME.test(time) || !DIGEST.test(digest)) return false;
  const ageMs = nowMs - Number(time) * 1000;
  if (ageMs > MAX_AGE_MS || ageMs < -MAX_AHEAD_MS) return false;
  const expected = createHmac('sha256', secret).update(`${time}.`).update(rawBody).digest();
  return timingSafeEqual(expected, Buffer.from(digest, 'hex'));
}

const after = (name: string, parts: string[]): string =>
  parts.find((part) => part.startsWith(name))?.slice(name.length) ?? '';
