// ElevenLabs-Signature: t=<unix seconds>,v0=<hex HMAC-SHA-256 of "t.rawBody">, keyed with the webhook's own secret.
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { ProviderCredentials, SignedRequest } from '../provider.js';

const TIME = /^\d{1,12}$/;
const DIGEST = /^[0-9a-f]{64}$/i;
/** The last retry comes 30 minutes after the previous one; whether it gets a new signature is not documented. */
const MAX_AGE_MS = 30 * 60_000;
/** The provider's SDK accepts any future time; we accept only a plausible clock difference. */
const MAX_AHEAD_MS = 5 * 60_000;

/** The parts of the signature if it is well-formed, at most 30 minutes old and at most 5 minutes ahead; else null. */
function signatureOf({ headers, nowMs }: Omit<SignedRequest, 'rawBody'>): { time: string; digest: string } | null {
  const header = headers['elevenlabs-signature'];
  if (typeof header !== 'string') return null;
  const parts = header.split(',').map((part) => part.trim());
  const [time, digest] = [after('t=', parts), after('v0=', parts)];
  if (!TIME.test(time) || !DIGEST.test(digest)) return null;
  const ageMs = nowMs - Number(time) * 1000;
  return ageMs > MAX_AGE_MS || ageMs < -MAX_AHEAD_MS ? null : { time, digest };
}

export const isSigned = (request: Omit<SignedRequest, 'rawBody'>): boolean => signatureOf(request) !== null;

/** Whether the signature is present, matches the raw bytes, and is at most 30 minutes old and at most 5 minutes ahead. */
export function verifySignature(request: SignedRequest, { webhookSecret: secret }: ProviderCredentials): boolean {
  const signature = signatureOf(request);
  if (signature === null || !secret) return false;
  const { time, digest } = signature;
  const expected = createHmac('sha256', secret).update(`${time}.`).update(request.rawBody).digest();
  return timingSafeEqual(expected, Buffer.from(digest, 'hex'));
}

const after = (name: string, parts: string[]): string =>
  parts.find((part) => part.startsWith(name))?.slice(name.length) ?? '';
