// What ElevenLabs measures and charges: turn latencies, credits, dollars, sentiment.
import type { Random } from '../random.js';
import type { Fields } from '../records.js';
import type { Sentiment } from './conversation.js';

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

/** Latencies of one turn, in seconds. */
export function turnMetrics(random: Random, role: 'user' | 'agent', isTyped: boolean): Fields {
  const metric = (low: number, high: number) => ({ elapsed_time: rounded(random.between(low, high), 6) });
  if (role === 'user') {
    return { metrics: isTyped ? {} : { convai_asr_trailing_service_latency: metric(0.05, 0.3) } };
  }
  const model = { convai_llm_service_ttfb: metric(0.25, 1.1), convai_llm_service_ttf_sentence: metric(0.4, 1.4) };
  return { metrics: isTyped ? model : { ...model, convai_tts_service_ttfb: metric(0.09, 0.3) } };
}

/** The cost: credits per second by channel, and the amount in USD. */
export function billOf(seconds: number, isTyped: boolean, turns: number): Fields {
  const credits = isTyped ? turns * 3 : Math.ceil(seconds * 8.33);
  const model = rounded(0.0006 * turns, 6);
  return {
    cost: credits,
    cost_fiat: rounded(credits * 0.00018 + model, 6),
    charging: {
      dev_discount: false,
      is_burst: false,
      tier: 'business',
      llm_price: model,
      llm_charge: Math.round(model * 10_000),
      call_charge: credits,
      free_minutes_consumed: 0,
      free_llm_dollars_consumed: 0,
    },
  };
}

/** The customer's sentiment; null when no person spoke. */
export function sentimentOf(random: Random, scoredTurns: number): Sentiment | null {
  const shares = { positive: 40, neutral: 45, negative: 15 };
  const label = random.weighted(['positive', 'neutral', 'negative'] as const, (name) => shares[name]);
  if (scoredTurns === 0) return null;
  const centre = { positive: 0.6, neutral: 0.05, negative: -0.55 }[label];
  const score = rounded(centre + random.between(-0.2, 0.2), 3);
  const frustration = rounded(label === 'negative' ? random.between(0.5, 0.9) : random.between(0, 0.3), 3);
  return {
    overall_label: label,
    overall_sentiment_score: score,
    overall_frustration_score: frustration,
    min_user_sentiment_score: rounded(score - random.between(0, 0.3), 3),
    max_user_frustration_score: rounded(Math.min(1, frustration + random.between(0, 0.2)), 3),
    num_scored_user_turns: scoredTurns,
  };
}
