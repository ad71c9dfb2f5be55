import { describe, expect, it } from 'vitest';
import { parseConfig } from './config.js';

const parsed = (value: string): unknown => parseConfig({ COLLOQUY_TRUST_PROXY: value }).trustProxy;

describe('COLLOQUY_TRUST_PROXY', () => {
  it.each([
    ['', false],
    ['off', false],
    ['1', 1],
    ['10.0.0.0/8', ['10.0.0.0/8']],
    ['10.1.2.3, fd00::/8', ['10.1.2.3', 'fd00::/8']],
  ])('%j is %j', (value, expected) => expect(parsed(value)).toEqual(expected));

  // Trusting every proxy would let callers choose their address.
  it.each(['on', 'true', '0', '11', '*', '0.0.0.0/0', '::/0', '10.0.0.0/33', '10.0.0.0/8/8', '10.0.0.0/', 'proxy'])(
    'refuses %j',
    (value) => expect(() => parsed(value)).toThrow(/^COLLOQUY_TRUST_PROXY: must be off/),
  );
});
