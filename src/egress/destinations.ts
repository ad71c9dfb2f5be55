// Where a request may go: https to public addresses, and what the operator lists. Every address that a name has is checked
// when it is resolved, and the connection goes to what was checked, so that a second answer of DNS changes nothing.
import type { LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { placeOf, type EgressAllow } from '../config/egress-allow.js';
import { isPublicAddress } from './public-addresses.js';
import { EgressRefusal } from './refusal.js';
import { listedNames, publicNames, type Resolve } from './resolve.js';

const MAX_URL = 8_192;
/** Names that stay inside a machine or a network whatever DNS says (RFC 6761, 6762, 8375; .internal by ICANN). */
const INSIDE = /(^|\.)(localhost|local|internal|home\.arpa)\.?$/;
/** How long a name may take when somebody waits for the verdict alone, milliseconds. */
const JUDGE_MS = 2_000;

const refused = (): never => {
  throw new EgressRefusal('address_not_allowed');
};

const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, '');

export class Destinations {
  constructor(
    private readonly allow: EgressAllow,
    private readonly resolve: Resolve = publicNames(),
    private readonly resolveListed: Resolve = listedNames,
  ) {}

  /** The URL, if a request may go there as far as its spelling tells. Throws {@link EgressRefusal}. */
  parsed(given: string): URL {
    const spelling = /^https?:\/\/([^/?#\\@\s]+)([/?#][^\s\\]*)?$/i.exec(given);
    if (spelling === null || given.length > MAX_URL || !URL.canParse(given)) return refused();
    const url = new URL(given);
    const host = bare(url.hostname);
    if (url.protocol === 'http:' && !this.isPlace(url)) return refused();
    // An address that had to be translated (decimal, octal, hexadecimal, short) was written to pass for another one.
    if (isIP(host) === 4 && !(spelling[1] ?? '').startsWith(host)) return refused();
    if (isIP(host) !== 0) return this.mayReach(url, host) ? url : refused();
    return INSIDE.test(host) && !this.isListed(url) ? refused() : url;
  }

  /** Resolves the name of one request. Its callback gets addresses that were all checked, or an {@link EgressRefusal}. */
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

  /** Whether a request to it would be refused now. A name that does not resolve is judged when it is asked. */
  async isRefused(given: string): Promise<boolean> {
    try {
      const url = this.parsed(given);
      if (isIP(bare(url.hostname)) === 0) await within(JUDGE_MS, this.addressesOf(url, url.hostname));
      return false;
    } catch (error) {
      return error instanceof EgressRefusal;
    }
  }

  /** At least one. Throws {@link EgressRefusal} when a single one of them must not be reached, and what DNS throws. */
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
    return this.allow.hosts.has(url.hostname) || this.isPlace(url);
  }

  private isPlace(url: URL): boolean {
    return this.allow.places.has(placeOf(url));
  }
}

async function within<Value>(ms: number, work: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('took too long')), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
