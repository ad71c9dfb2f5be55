// Where a request comes from. Addresses are personal data and appear in security events only; everything else that has to
// distinguish sources uses the tag.
import { hash, randomBytes } from 'node:crypto';
import { isIP, isIPv6 } from 'node:net';
import type { FastifyRequest } from 'fastify';

export interface Source {
  /** IP address of the client; of the proxy, if no proxy is trusted (COLLOQUY_TRUST_PROXY). */
  address: string;
  /** Distinguishes addresses within this process; the address cannot be derived from it. */
  tag: string;
  /** Unchecked, as the client sent it. */
  userAgent: string | undefined;
  requestId: string;
}

const SECRET = randomBytes(32).toString('base64');
const TAG_LENGTH = 12;
const USER_AGENT_LENGTH = 120;

const tagOf = (text: string): string => hash('sha256', SECRET + text, 'hex').slice(0, TAG_LENGTH);

export function sourceOf(request: FastifyRequest): Source {
  const address = addressIn(request.ip) ?? request.socket.remoteAddress ?? 'unknown';
  return { address, tag: tagOf(address), userAgent: request.headers['user-agent'], requestId: request.id };
}

/** The address in an entry of X-Forwarded-For, which may have a port; null if it has none. */
export function addressIn(entry: string): string | null {
  const address = /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(entry)?.[1] ?? /^\[(.+)\](?::\d+)?$/.exec(entry)?.[1] ?? entry;
  return isIP(address) === 0 ? null : address;
}

/** One of 65,536 buckets for the network of an address, which bounds the number of counters. */
export const bucketOf = (address: string): string => tagOf(networkOf(address)).slice(0, 4);

/** An IPv4 address itself; the /64 of an IPv6 address, since one host usually has all of it. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address)) return address;
  const [front = '', back] = address.replace(/%.*$/, '').split('::');
  const first = front === '' ? [] : front.split(':');
  const last = back === undefined || back === '' ? [] : back.split(':');
  const groups = back === undefined ? first : [...first, ...Array(8 - first.length - last.length).fill('0'), ...last];
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}

/** A user agent for a log line: at most 120 characters; those that no product name has become `?`. */
export const loggableUserAgent = (userAgent: string | undefined): string | null =>
  userAgent === undefined ? null : userAgent.replaceAll(/[^\w .,;:()/+-]/g, '?').slice(0, USER_AGENT_LENGTH);
