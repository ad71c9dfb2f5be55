// Rules for redirects. Pure.
import type { IncomingMessage } from 'node:http';
import type { EgressRequest } from './connections.js';
import { EgressRefusal } from './refusal.js';

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** The only headers sent to another origin: others may be credentials under any name. */
const SAFE_HEADERS = ['accept', 'accept-encoding', 'user-agent'];

/** The target of a redirect; null: not a redirect. Throws {@link EgressRefusal} for an invalid URL. */
export function targetOf({ statusCode = 0, headers }: IncomingMessage, from: URL): URL | null {
  if (!REDIRECTS.has(statusCode) || headers.location === undefined) return null;
  if (!URL.canParse(headers.location, from.href)) throw new EgressRefusal('redirect_not_allowed');
  return new URL(headers.location, from.href);
}

/** The request to send to the target. Throws {@link EgressRefusal} unless the request is a GET. */
export function redirected(request: EgressRequest, from: URL, to: URL): EgressRequest {
  if (request.method !== 'GET') throw new EgressRefusal('redirect_not_allowed');
  if (from.origin === to.origin) return request;
  const headers = Object.entries(request.headers).filter(([name]) => SAFE_HEADERS.includes(name));
  return { ...request, headers: Object.fromEntries(headers) };
}
