import { describe, expect, it } from 'vitest';
import { AGENTS } from './agents.js';
import { costOf, statistics } from './measures.js';

describe('statistics', () => {
  it('takes percentiles by nearest rank', () => {
    expect(statistics([812, 640, 790, 1201, 1103])).toEqual({
      p50: 812,
      p90: 1201,
      p95: 1201,
      p99: 1201,
      min: 640,
      max: 1201,
      num: 5,
      values: [812, 640, 790, 1201, 1103],
    });
    expect(() => statistics([])).toThrow(RangeError);
  });
});

describe('costOf', () => {
  it('adds up in cents, telephony only for phone calls', () => {
    const [agent] = AGENTS;
    if (!agent) throw new Error('no agents');
    const phone = costOf({ agent, durationMs: 95_500, isPhone: true });
    expect(phone.total_duration_seconds).toBe(96);
    expect(phone.combined_cost).toBeCloseTo(96 * phone.total_duration_unit_price, 3);
    const web = costOf({ agent, durationMs: 95_500, isPhone: false });
    expect(web.product_costs.map((cost) => cost.product)).not.toContain('us_telephony');
  });
});
