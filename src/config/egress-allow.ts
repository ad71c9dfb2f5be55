// COLLOQUY_EGRESS_ALLOW → what requests may go to although it is private or plain http. Commas separate the entries.
import { BlockList, isIP } from 'node:net';

export interface EgressAllow {
  /** Hosts as a URL spells them: their addresses may be private. */
  hosts: ReadonlySet<string>;
  /** `host:port`, likewise; plain http is allowed there too. */
  places: ReadonlySet<string>;
  /** Private addresses that any host may have. */
  ranges: BlockList;
}

const FORM = 'entries must be a host, host:port, an address or a CIDR range, separated by commas';

/** The host of a URL, and its port where it is not the one of the scheme. Throws when it is more than that. */
function spelled(entry: string): URL {
  const isPlain = /^(\[[0-9a-f:.]+\]|[^\s/?#@\\:*[\]]+)(:\d{1,5})?$/i.test(entry);
  if (!isPlain || !URL.canParse(`http://${entry}`)) throw new RangeError(FORM);
  return new URL(`http://${entry}`);
}

function addRange(ranges: BlockList, entry: string): void {
  const [, address = '', prefix = ''] = /^([^/]+)\/(\d{1,3})$/.exec(entry) ?? [];
  const family = isIP(address);
  if (family === 0 || Number(prefix) > (family === 4 ? 32 : 128)) throw new RangeError(FORM);
  ranges.addSubnet(address, Number(prefix), family === 4 ? 'ipv4' : 'ipv6');
}

/** Parses the setting. Throws RangeError; the message does not quote the value. */
export function parseEgressAllow(value: string | undefined): EgressAllow {
  const hosts = new Set<string>();
  const places = new Set<string>();
  const ranges = new BlockList();
  for (const entry of (value ?? '').split(',').map((each) => each.trim())) {
    if (entry === '') continue;
    const family = isIP(entry);
    if (family !== 0) ranges.addAddress(entry, family === 4 ? 'ipv4' : 'ipv6');
    else if (entry.includes('/')) addRange(ranges, entry);
    else if (/:\d+$/.test(entry)) places.add(placeOf(spelled(entry)));
    else hosts.add(spelled(entry).hostname);
  }
  return { hosts, places, ranges };
}

/** `host:port` of a URL of http or https; the port is always named. */
export const placeOf = ({ hostname, port, protocol }: URL): string =>
  `${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`;
