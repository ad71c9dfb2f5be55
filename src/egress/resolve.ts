// Resolves host names. Asks nameservers directly, except for hosts that the operator lists: the system resolver handles only
// two look-ups of a process at a time, so one silent nameserver would block the look-ups of everybody else.
import { lookup, Resolver } from 'node:dns/promises';
import type { LookupAddress } from 'node:dns';

/** Both tries together take less than the connection timeout. */
const TRY_MS = 2_000;
const TRIES = 2;

export type Resolve = (hostname: string) => Promise<LookupAddress[]>;

/** Resolves with the nameservers of this machine, or with `servers`. Rejects if there is neither an IPv4 nor an IPv6 address. */
export function nameserverResolve(servers?: string[]): Resolve {
  const resolver = new Resolver({ timeout: TRY_MS, tries: TRIES });
  if (servers !== undefined) resolver.setServers(servers);
  return async (hostname) => {
    const results = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
    const found = results.flatMap((one, index) =>
      one.status === 'fulfilled' ? one.value.map((address) => ({ address, family: index === 0 ? 4 : 6 })) : [],
    );
    if (found.length > 0) return found;
    throw new Error('the name does not resolve', { cause: results.find(({ status }) => status === 'rejected') });
  };
}

/** Resolves as the operating system does, with `/etc/hosts`, which may be the only place that knows neighbouring hosts. */
export const systemResolve: Resolve = (hostname) => lookup(hostname, { all: true });
