import { describe, expect, it } from 'vitest';
import { addressIn, bucketOf, networkOf, loggableUserAgent } from './source.js';

describe('networkOf', () => {
  it.each([
    ['203.0.113.9', '203.0.113.9'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:0db8:0001:0002::', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
    ['unknown', 'unknown'],
  ])('of %s is %s', (address, network) => expect(networkOf(address)).toBe(network));
});

describe('bucketOf', () => {
  it('is one of 65,536, and the same for a network', () => {
    const buckets = new Set(Array.from({ length: 1_000 }, (_, n) => bucketOf(`10.0.${n >> 8}.${n & 255}`)));
    for (const bucket of buckets) expect(bucket).toMatch(/^[0-9a-f]{4}$/);
    expect(buckets.size).toBeGreaterThan(950);
    expect(bucketOf('2001:db8::1')).toBe(bucketOf('2001:db8::ffff:1'));
  });
});

describe('addressIn', () => {
  it.each([
    ['203.0.113.9', '203.0.113.9'],
    ['203.0.113.9:4711', '203.0.113.9'],
    ['[2001:db8::1]:4711', '2001:db8::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['_hidden', null],
    ['203.0.113.9\nevil', null],
  ])('%j is %s', (entry, address) => expect(addressIn(entry)).toBe(address));
});

describe('loggableUserAgent', () => {
  it('keeps the characters of product names, at most 120', () => {
    expect(loggableUserAgent('Mozilla/5.0 (X11; Linux) a+b-c_d, e:f')).toBe('Mozilla/5.0 (X11; Linux) a+b-c_d, e:f');
    expect(loggableUserAgent('a"\n<é>')).toBe('a?????');
    expect(loggableUserAgent('x'.repeat(500))).toHaveLength(120);
    expect(loggableUserAgent(undefined)).toBeNull();
  });
});
