import { describe, expect, it } from 'vitest';
import { retryAfterMs } from './provider.js';

const NOW = Date.parse('2026-11-23T10:00:00Z');

describe('Retry-After', () => {
  it('is read as seconds, or as a date from now', () => {
    expect(retryAfterMs('3', NOW)).toBe(3_000);
    expect(retryAfterMs('0.5', NOW)).toBe(500);
    expect(retryAfterMs('Mon, 23 Nov 2026 10:00:07 GMT', NOW)).toBe(7_000);
    expect(retryAfterMs('Mon, 23 Nov 2026 09:00:00 GMT', NOW)).toBe(0);
  });

  it('is limited to an hour', () => {
    for (const header of ['86400', '1e300', 'Mon, 23 Nov 2099 10:00:00 GMT'])
      expect(retryAfterMs(header, NOW)).toBe(3_600_000);
  });

  it('is null if it is absent or malformed', () => {
    for (const header of [null, undefined, '', ' ', 'soon']) expect(retryAfterMs(header, NOW)).toBeNull();
  });
});
