import { describe, expect, it } from 'vitest';
import { expiryOf } from './key-expiry.js';

const NOW = Date.UTC(2026, 0, 1);
const after = (days: number): Date => new Date(NOW + days * 86_400_000);

describe('expiryOf', () => {
  it('is as requested if there is no limit', () => {
    expect(expiryOf(undefined, null, NOW)).toBeNull();
    expect(expiryOf(null, null, NOW)).toBeNull();
    expect(expiryOf(after(9_999), null, NOW)).toEqual(after(9_999));
  });

  it('is the limit by default, and earlier if requested', () => {
    expect(expiryOf(undefined, 90, NOW)).toEqual(after(90));
    expect(expiryOf(after(90), 90, NOW)).toEqual(after(90));
    expect(expiryOf(after(1), 90, NOW)).toEqual(after(1));
  });

  it.each([null, after(91)])('refuses %s beyond it', (asked) => {
    expect(() => expiryOf(asked, 90, NOW)).toThrow(/within 90 days/);
  });
});
