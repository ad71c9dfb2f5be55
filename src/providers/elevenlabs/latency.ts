// How long the customer waited for an answer: model plus voice, from the metrics of each turn. Pure.
import type { Fields, Json } from '../provider-fact.js';
import type { ElevenLabsItem } from './payload.js';

const PARTS = ['convai_llm_service_ttfb', 'convai_tts_service_ttfb'];

/** Latency of one turn, milliseconds; null if it was not measured. GET nests the metrics one level deeper than webhooks. */
export function turnLatencyMs({ conversation_turn_metrics: given }: ElevenLabsItem): number | null {
  if (given === null || given === undefined) return null;
  const wrapped = given['metrics'];
  const metrics = isMap(wrapped) ? wrapped : given;
  const parts = PARTS.flatMap((name) => elapsedSeconds(metrics[name]) ?? []);
  return parts.length === 0 ? null : Math.round(parts.reduce((sum, seconds) => sum + seconds, 0) * 1000);
}

/** Median and 95th percentile (nearest rank) over the measured turns. */
export function latencyOf(items: ElevenLabsItem[]): Fields['latency'] | undefined {
  const sorted = items.flatMap((item) => turnLatencyMs(item) ?? []).sort((a, b) => a - b);
  if (sorted.length === 0) return undefined;
  const rank = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
  return { p50_ms: rank(0.5), p95_ms: rank(0.95) };
}

const isMap = (value: Json | undefined): value is { [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function elapsedSeconds(metric: Json | undefined): number | null {
  const seconds = isMap(metric) ? metric['elapsed_time'] : null;
  return typeof seconds === 'number' ? seconds : null;
}
