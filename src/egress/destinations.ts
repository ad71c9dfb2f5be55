// Decides where outgoing requests may go: https to public addresses, and whatever the operator allows. Every address of a name
// is checked when it is resolved, and the connection uses the checked address, so DNS rebinding has no effect.
import type { LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { hostPortOf, type EgressAllow } from '../config/egress-allow.js';
import { isPublicAddress } from './public-addresses.js';
import { EgressRefusal } from './refusal.js';
import { systemResolve, nameserverResolve, type Resolve } from './resolve.js';

const MAX_URL = 8_192;
/** Names of local machines and networks, whatever DNS says (RFC 6761, 6762, 8375; .internal by ICANN). */
const LOCAL_NAME = /(^|\.)(localhost|local|internal|home\.arpa)\.?$/;
/** How long {@link Destinations.isRefused} waits for DNS, milliseconds. */
const CHECK_MS = 2_000;

const refused = (): never => {
  throw new EgressRefusal('address_not_allowed');
};

const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, '');

export class Destinations {
  constructor(
    private readonly allow: EgressAllow,
    private readonly resolve: Resolve = nameserverResolve(),
    private readonly resolveListed: Resolve = systemResolve,
  ) {}

  /** Parses and checks a URL; addresses of names are checked when they are resolved. Throws {@link EgressRefusal}. */
  parse(given: string): URL {
    const spelling = /^https?:\/\/([^/?#\\@\s]+)([/?#][^\s\\]*)?$/i.exec(given);
    if (spelling === null || given.length > MAX_URL || !URL.canParse(given)) return refused();
    const url = new URL(given);
    const host = bare(url.hostname);
    if (url.protocol === 'http:' && !this.isListedHostPort(url)) return refused();
    // Unusual notations of an address (decimal, octal, hexadecimal, shortened) are attempts to disguise it.
    if (isIP(host) === 4 && !(spelling[1] ?? '').startsWith(host)) return refused();
    if (isIP(host) !== 0) return this.mayReach(url, host) ? url : refused();
    return LOCAL_NAME.test(host) && !this.isListed(url) ? refused() : url;
  }

  /** The DNS lookup function for a request: yields only checked addresses, or an {@link EgressRefusal}. */
  lookupFor(url: URL): LookupFunction {
    const answer = async (
      hostname: string,
      all: boolean | undefined,
      callback: Parameters<LookupFunction>[2],
    ): Promise<void> => {
      const found = await this.addressesOf(url, hostname).catch((error: Error) => error);
      if (found instanceof Error) callback(found, []);
      else if (all === true) callback(null, found);
      else callback(null, found[0]?.address ?? '', found[0]?.family);
    };
    return (hostname, { all }, callback) => void answer(hostname, all, callback);
  }

  /** Whether a request to the URL would be refused now. False for a name that does not resolve: requests check it again. */
  async isRefused(given: string): Promise<boolean> {
    try {
      const url = this.parse(given);
      if (isIP(bare(url.hostname)) === 0) await within(CHECK_MS, this.addressesOf(url, url.hostname));
      return false;
    } catch (error) {
      return error instanceof EgressRefusal;
    }
  }

  /** All addresses, at least one. Throws {@link EgressRefusal} if any of them is forbidden; rethrows DNS errors. */
  private async addressesOf(url: URL, hostname: string): Promise<LookupAddress[]> {
    const addresses = await (this.isListed(url) ? this.resolveListed : this.resolve)(hostname);
    if (addresses.length === 0 || !addresses.every(({ address }) => this.mayReach(url, address))) return refused();
    return addresses;
  }

  private mayReach(url: URL, address: string): boolean {
    if (this.isListed(url) || isPublicAddress(address)) return true;
    const family = isIP(address);
    return family !== 0 && this.allow.ranges.check(address, family === 4 ? 'ipv4' : 'ipv6');
  }

  private isListed(url: URL): boolean {
    return this.allow.hosts.has(url.hostname) || this.isListedHostPort(url);
  }

  private isListedHostPort(url: URL): boolean {
    return this.allow.hostPorts.has(hostPortOf(url));
  }
}

async function within<Value>(ms: number, work: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('timed out')), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
