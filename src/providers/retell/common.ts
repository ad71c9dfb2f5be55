// What Retell's calls and chats have in common.
import type { Fields, Json } from '../provider-fact.js';
import { withoutMembers } from '../provider-mapping.js';
import type { RetellAnalysis, RetellCost } from './payload.js';

const SENTIMENTS = ['positive', 'neutral', 'negative'] as const;
/** Capability URLs and tokens: never kept (reference/providers.md 7). */
const SECRETS = new Set(['access_token', 'thought_signature']);

export const withoutSecrets = (document: Json): Json => withoutMembers(document, (name) => SECRETS.has(name));

type Analysis = Pick<RetellAnalysis, 'user_sentiment'> | null | undefined;

/** Outcome, sentiment and summary; nothing before the analysis. */
export function analysisOf(
  analysis: Analysis,
  summary: string | null | undefined,
  successful: boolean | null | undefined,
): Partial<Fields> {
  if (analysis === null || analysis === undefined) return {};
  const label = SENTIMENTS.find((name) => name === analysis.user_sentiment?.toLowerCase());
  const value = successful === true ? 'success' : successful === false ? 'failure' : 'unknown';
  return {
    outcome: { value, score: null, rationale: null },
    ...(label && { sentiment: { label, score: null } }),
    ...(summary && { summary }),
  };
}

/** US cents → micros of a dollar. Zero before the final bill is not a price. */
export function costOf(cost: RetellCost | null | undefined): Fields['cost'] | undefined {
  const cents = cost?.combined_cost;
  return typeof cents === 'number' ? { amount_micros: Math.round(cents * 10_000), currency: 'USD' } : undefined;
}

/** `metadata` is any JSON at Retell; ours is a map, so that something else goes under `value`. */
export function metadataOf(value: Json | undefined): Fields['metadata'] | undefined {
  if (value === null || value === undefined) return undefined;
  return typeof value === 'object' && !Array.isArray(value) ? value : { value };
}

type Map = { [key: string]: Json } | null | undefined;

/** What was given at the start and what the agent collected; the collected wins. */
export const variablesOf = (given: Map, collected: Map): Fields['variables'] | undefined =>
  given || collected ? { ...given, ...collected } : undefined;
