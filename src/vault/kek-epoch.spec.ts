import { describe, expect, it } from 'vitest';
import { epochOf } from './kek-epoch.js';

describe('epochOf', () => {
  it('counts 28-day epochs since 1970, UTC', () => {
    expect(epochOf(new Date('1970-01-28T23:59:59.999Z'))).toBe(0);
    expect(epochOf(new Date('1970-01-29T00:00:00Z'))).toBe(1);
    expect(epochOf(new Date('2026-11-23T12:00:00Z'))).toBe(Math.floor(20_780 / 28));
  });
});
