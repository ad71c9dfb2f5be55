// What Retell measures and charges: latencies, tokens, cost.
import type { Random } from '../random.js';
import type { SimulatedAgent } from './agents.js';
import type { CallCost, LatencyStatistics } from './call.js';

/** US cents, rounded to a ten-thousandth. */
const cents = (value: number): number => Math.round(value * 10_000) / 10_000;

/** Nearest-rank percentiles of measurements in milliseconds. Throws RangeError for an empty list. */
export function statistics(values: readonly number[]): LatencyStatistics {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = (percent: number): number => {
    const value = sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
    if (value === undefined) throw new RangeError('no measurements');
    return value;
  };
  const [p50, p90, p95, p99] = [rank(50), rank(90), rank(95), rank(99)];
  return { p50, p90, p95, p99, min: rank(0), max: rank(100), num: sorted.length, values: [...values] };
}

/** Latencies of the parts of each answer, in milliseconds; undefined when the agent never answered. */
export function latencyOf(
  responseMs: readonly number[],
  random: Random,
): Record<string, LatencyStatistics> | undefined {
  if (responseMs.length === 0) return undefined;
  const share = (part: number) => responseMs.map((ms) => Math.round(ms * part * random.between(0.85, 1.15)));
  return {
    e2e: statistics(responseMs),
    asr: statistics(share(0.12)),
    llm: statistics(share(0.52)),
    tts: statistics(share(0.25)),
  };
}

/** Token counts of the requests to the language model. */
export function tokenUsageOf(
  responseMs: readonly number[],
  random: Random,
): { average: number; num_requests: number; values: number[] } | undefined {
  if (responseMs.length === 0) return undefined;
  const values = responseMs.map((_, index) => 900 + 55 * index + random.integer(0, 80));
  const average = Math.round(values.reduce((sum, value) => sum + value, 0) / values.length);
  return { average, num_requests: values.length, values };
}

/** The cost of a call: voice, model, and telephony unless it was a web call. */
export function costOf(call: { agent: SimulatedAgent; durationMs: number; isPhone: boolean }): CallCost {
  const total = Math.ceil(call.durationMs / 1000);
  const voice = call.agent.voice_id.startsWith('11labs') ? 'elevenlabs_tts' : 'openai_tts';
  const prices = [
    { product: voice, unit_price: voice === 'elevenlabs_tts' ? 0.1167 : 0.1333 },
    { product: 'gpt_4_1', unit_price: 0.075 },
    ...(call.isPhone ? [{ product: 'us_telephony', unit_price: 0.025 }] : []),
  ];
  const products = prices.map((price) => ({ ...price, cost: cents(price.unit_price * total) }));
  return {
    combined_cost: cents(products.reduce((sum, product) => sum + product.cost, 0)),
    product_costs: products,
    total_duration_seconds: total,
    total_duration_unit_price: cents(prices.reduce((sum, price) => sum + price.unit_price, 0)),
  };
}
