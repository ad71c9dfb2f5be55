// x-retell-signature: v=<unix ms>,d=<hex HMAC-SHA-256 of raw body + ms>, by the API key (retell-sdk lib/webhook_auth).
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { ProviderCredentials, SignedRequest } from '../provider.js';

const FORM = /^v=(\d{1,16}),d=([0-9a-f]{64})$/i;
const TOLERANCE_MS = 5 * 60_000;

/** True when the signature is present, fits the raw bytes, and is at most 5 minutes off in either direction. */
export function verifySignature({ rawBody, headers, nowMs }: SignedRequest, credentials: ProviderCredentials): boolean {
  const header = headers['x-retell-signature'];
  const match = typeof header === 'string' ? FORM.exec(header) : null;
  const [, time, digest] = match ?? [];
  if (time === undefined || digest === undefined) return false;
  if (Math.abs(nowMs - Number(time)) > TOLERANCE_MS) return false;
  const secret = credentials.webhookSecret ?? credentials.apiKey;
  const expected = createHmac('sha256', secret).update(rawBody).update(time).digest();
  return timingSafeEqual(expected, Buffer.from(digest, 'hex'));
}
