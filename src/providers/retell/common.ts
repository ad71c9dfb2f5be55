// Mapping shared by Retell's calls and chats. Pure.
import type { Fields, Json } from '../provider-fact.js';
import { compact, withoutMembers } from '../provider-mapping.js';
import type { RetellAnalysis, RetellCall, RetellCost } from './payload.js';

const SENTIMENTS = ['positive', 'neutral', 'negative'] as const;
/** Capability URLs and tokens, which must not be stored. */
const SECRETS = new Set(['access_token', 'thought_signature']);

export const withoutSecrets = (document: Json): Json => withoutMembers(document, (name) => SECRETS.has(name));

type Analysis = Pick<RetellAnalysis, 'user_sentiment'> | null | undefined;

/** Outcome, sentiment and summary, if the analysis contains them. */
export function analysisOf(
  analysis: Analysis,
  summary: string | null | undefined,
  successful: boolean | null | undefined,
): Partial<Fields> {
  const label = SENTIMENTS.find((name) => name === analysis?.user_sentiment?.toLowerCase());
  const value = successful ? 'success' : 'failure';
  return compact({
    outcome: typeof successful === 'boolean' ? { value, score: null } : undefined,
    sentiment: label && { label, score: null },
    summary,
  });
}

/** US cents → micros of a dollar. Zero before the final bill is not a price. */
export function costOf(cost: RetellCost | null | undefined, isFinal: boolean): Fields['cost'] | undefined {
  const cents = cost?.combined_cost;
  if (typeof cents !== 'number' || (cents === 0 && !isFinal)) return undefined;
  return { amount_micros: Math.round(cents * 10_000), currency: 'USD' };
}

/** Retell's `metadata` may be any JSON; ours is a map, so anything else is put under `value`. */
export function metadataOf(value: Json | undefined): Fields['metadata'] | undefined {
  if (value === null || value === undefined) return undefined;
  return typeof value === 'object' && !Array.isArray(value) ? value : { value };
}

type Storage = Pick<RetellCall, 'data_storage_setting' | 'opt_out_sensitive_data_storage'>;

/** Whether Retell stores neither transcript nor audio of a finished conversation, by the current setting or the older flag. */
export const storesNothing = ({ data_storage_setting: setting, opt_out_sensitive_data_storage: isOptedOut }: Storage) =>
  setting === 'basic_attributes_only' || isOptedOut === true;
