// Parses COLLOQUY_EGRESS_ALLOW: private addresses and plain http hosts that outgoing requests may reach. Comma separated.
import { BlockList, isIP } from 'node:net';

export interface EgressAllow {
  /** Host names as in a URL: their addresses may be private. */
  hosts: ReadonlySet<string>;
  /** `host:port`: as `hosts`, and plain http is allowed too. */
  hostPorts: ReadonlySet<string>;
  /** Private addresses that any host name may resolve to. */
  ranges: BlockList;
}

const FORMAT = 'entries must be a host, host:port, an address or a CIDR range, separated by commas';

/** Parses `host` or `host:port`. Throws RangeError for anything more. */
function parseHost(entry: string): URL {
  const isPlain = /^(\[[0-9a-f:.]+\]|[^\s/?#@\\:*[\]]+)(:\d{1,5})?$/i.test(entry);
  if (!isPlain || !URL.canParse(`http://${entry}`)) throw new RangeError(FORMAT);
  return new URL(`http://${entry}`);
}

function addRange(ranges: BlockList, entry: string): void {
  const [, address = '', prefix = ''] = /^([^/]+)\/(\d{1,3})$/.exec(entry) ?? [];
  const family = isIP(address);
  if (family === 0 || Number(prefix) > (family === 4 ? 32 : 128)) throw new RangeError(FORMAT);
  ranges.addSubnet(address, Number(prefix), family === 4 ? 'ipv4' : 'ipv6');
}

/** Parses the setting. Throws RangeError; the message does not quote the value. */
export function parseEgressAllow(value: string | undefined): EgressAllow {
  const hosts = new Set<string>();
  const hostPorts = new Set<string>();
  const ranges = new BlockList();
  for (const entry of (value ?? '').split(',').map((each) => each.trim())) {
    if (entry === '') continue;
    const family = isIP(entry);
    if (family !== 0) ranges.addAddress(entry, family === 4 ? 'ipv4' : 'ipv6');
    else if (entry.includes('/')) addRange(ranges, entry);
    else if (/:\d+$/.test(entry)) hostPorts.add(hostPortOf(parseHost(entry)));
    else hosts.add(parseHost(entry).hostname);
  }
  return { hosts, hostPorts, ranges };
}

/** `host:port` of an http or https URL, with the default port if it has none. */
export const hostPortOf = ({ hostname, port, protocol }: URL): string =>
  `${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`;
