// Names → addresses. Not by the operating system, except for what the operator lists: its resolver answers two questions
// of a process at a time, so that a stranger's name whose server is silent would hold up everybody else's.
import { lookup, Resolver } from 'node:dns/promises';
import type { LookupAddress } from 'node:dns';

/** With two tries, less than what a connection may take. */
const TRY_MS = 2_000;
const TRIES = 2;

export type Resolve = (hostname: string) => Promise<LookupAddress[]>;

/** By the nameservers of this machine (`servers`: by others). Rejects when neither family has an answer. */
export function publicNames(servers?: string[]): Resolve {
  const resolver = new Resolver({ timeout: TRY_MS, tries: TRIES });
  if (servers !== undefined) resolver.setServers(servers);
  return async (hostname) => {
    const asked = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
    const found = asked.flatMap((one, index) =>
      one.status === 'fulfilled' ? one.value.map((address) => ({ address, family: index === 0 ? 4 : 6 })) : [],
    );
    if (found.length > 0) return found;
    throw new Error('the name does not resolve', { cause: asked.find(({ status }) => status === 'rejected') });
  };
}

/** As the operating system does it, with `/etc/hosts`: hosts beside us may be known there alone. */
export const listedNames: Resolve = (hostname) => lookup(hostname, { all: true });
