import { describe, expect, it } from 'vitest';
import { parseConfig } from './config.js';
import { parseEgressAllow, hostPortOf } from './egress-allow.js';

describe('parseEgressAllow', () => {
  it('distinguishes hosts, host:port pairs and ranges, normalised as in URLs', () => {
    const { hosts, hostPorts, ranges } = parseEgressAllow(
      'Minio, BÜCHER.example ,minio:9000,127.0.0.1:9002,[::1]:80,10.1.0.0/16,192.168.7.7,fd00::/8,,',
    );
    expect([...hosts]).toEqual(['minio', 'xn--bcher-kva.example']);
    expect([...hostPorts]).toEqual(['minio:9000', '127.0.0.1:9002', '[::1]:80']);
    const isListed = (address: string): boolean => ranges.check(address, address.includes(':') ? 'ipv6' : 'ipv4');
    expect(['10.1.255.255', '192.168.7.7', 'fd12::1'].every(isListed)).toBe(true);
    expect(['10.2.0.0', '192.168.7.8', '127.0.0.1', 'fe80::1'].some(isListed)).toBe(false);
  });

  it.each([
    ['https://h', 'h:443'],
    ['http://h/x', 'h:80'],
    ['http://[::1]:8080', '[::1]:8080'],
  ])('names the port of %s', (url, place) => {
    expect(hostPortOf(new URL(url))).toBe(place);
  });

  it.each([
    ...['http://h', 'h/path', 'user@h', '*.example.com', 'h:port', 'h:99999', '10.0.0.0/33', 'fd00::/129', 'h/16'],
    ...['10.0.0.0/', 'a b', 'h?x', 'h#x', '[::1', '::1]:80', '10.0.0.0/8/8', '300.1.1.1:80'],
  ])('stops the start at %s, without quoting it', (entry) => {
    const start = (): unknown => parseConfig({ COLLOQUY_EGRESS_ALLOW: `ok.example,${entry}` });
    expect(start).toThrow(/^COLLOQUY_EGRESS_ALLOW: entries must be/);
    expect(start).not.toThrow(/ok\.example/);
  });
});
