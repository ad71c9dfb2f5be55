// x-retell-signature: v=<unix ms>,d=<hex HMAC-SHA-256 of raw body + ms>, keyed with the API key (retell-sdk lib/webhook_auth).
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { ProviderCredentials, SignedRequest } from '../provider.js';

const FORM = /^v=(\d{1,16}),d=([0-9a-f]{64})$/i;
const TOLERANCE_MS = 5 * 60_000;

/** The parts of the signature if it is well-formed and at most 5 minutes off in either direction; else null. */
function signatureOf({ headers, nowMs }: Omit<SignedRequest, 'rawBody'>): { time: string; digest: string } | null {
  const header = headers['x-retell-signature'];
  const [, time, digest] = (typeof header === 'string' ? FORM.exec(header) : null) ?? [];
  if (time === undefined || digest === undefined) return null;
  return Math.abs(nowMs - Number(time)) > TOLERANCE_MS ? null : { time, digest };
}

export const isSigned = (request: Omit<SignedRequest, 'rawBody'>): boolean => signatureOf(request) !== null;

/** Whether the signature is present, matches the raw bytes, and is at most 5 minutes off in either direction. */
export function verifySignature(request: SignedRequest, credentials: ProviderCredentials): boolean {
  const signature = signatureOf(request);
  if (signature === null) return false;
  const { time, digest } = signature;
  const secret = credentials.webhookSecret ?? credentials.apiKey;
  const expected = createHmac('sha256', secret).update(request.rawBody).update(time).digest();
  return timingSafeEqual(expected, Buffer.from(digest, 'hex'));
}
