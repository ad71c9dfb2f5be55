// Where a request comes from. Addresses are personal data: they go into security events alone; everything else that has
// to tell sources apart uses the tag.
import { hash, randomBytes } from 'node:crypto';
import { isIP, isIPv6 } from 'node:net';
import type { FastifyRequest } from 'fastify';

export interface Source {
  /** Of the client, or of a proxy where none is trusted (COLLOQUY_TRUST_PROXY). */
  address: string;
  /** Tells addresses apart in this process; by itself it says nothing of the address. */
  tag: string;
  /** As it came: anything. */
  userAgent: string | undefined;
  requestId: string;
}

const SECRET = randomBytes(32).toString('base64');
const TAG_LENGTH = 12;
const AGENT_LENGTH = 120;

const tagOf = (text: string): string => hash('sha256', SECRET + text, 'hex').slice(0, TAG_LENGTH);

export function sourceOf(request: FastifyRequest): Source {
  const address = addressIn(request.ip) ?? request.socket.remoteAddress ?? 'unknown';
  return { address, tag: tagOf(address), userAgent: request.headers['user-agent'], requestId: request.id };
}

/** The address in an entry of X-Forwarded-For, which may have a port; null when it is none. */
export function addressIn(entry: string): string | null {
  const address = /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(entry)?.[1] ?? /^\[(.+)\](?::\d+)?$/.exec(entry)?.[1] ?? entry;
  return isIP(address) === 0 ? null : address;
}

/** One of 65,536 buckets for the network that an address is in: bounds what is counted by address. */
export const bucketOf = (address: string): string => tagOf(networkOf(address)).slice(0, 4);

/** An IPv4 address itself; of an IPv6 address the /64, all of which one host usually has. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address)) return address;
  const [front = '', back] = address.replace(/%.*$/, '').split('::');
  const groups = front === '' ? [] : front.split(':');
  const given = back === undefined || back === '' ? [] : back.split(':');
  const whole =
    back === undefined ? groups : [...groups, ...Array(8 - groups.length - given.length).fill('0'), ...given];
  return whole
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}

/** A user agent as a log line may hold it: 120 characters at most, of those that product names are made of. */
export const shownAgent = (userAgent: string | undefined): string | null =>
  userAgent === undefined ? null : userAgent.replaceAll(/[^\w .,;:()/+-]/g, '?').slice(0, AGENT_LENGTH);
