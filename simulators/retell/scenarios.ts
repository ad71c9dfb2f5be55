// What traffic looks like: draws, by seed, how a call ends, by phone or web, and how much is stored.
import { Random } from '../random.js';
import type { Fields } from '../records.js';
import { END_REASONS, type EndReason } from './reasons.js';

const WEB_IMPOSSIBLE = /transfer|voicemail|ivr|scam/;

function callTypeOf(random: Random, reason: EndReason): string {
  if (reason.reason === 'error_user_not_joined') return 'web_call';
  const isPossible = reason.status !== 'not_connected' && !WEB_IMPOSSIBLE.test(reason.reason);
  return isPossible && random.chance(0.12) ? 'web_call' : 'phone_call';
}

/** The fields that make a call of traffic, for `completeCall(seed, scenarioOf(seed))`. */
export function scenarioOf(seed: string): Fields {
  const random = new Random(`${seed} scenario`);
  const reason = random.weighted(END_REASONS, (candidate) => candidate.weight);
  const storage = random.weighted(['everything', 'everything_except_pii', 'basic_attributes_only'], (setting) =>
    setting === 'everything' ? 94 : 3,
  );
  return {
    disconnection_reason: reason.reason,
    call_type: callTypeOf(random, reason),
    data_storage_setting: storage,
    ...(random.chance(0.3) ? { metadata: undefined } : {}),
    ...(random.chance(0.4) ? { retell_llm_dynamic_variables: undefined, collected_dynamic_variables: undefined } : {}),
  };
}
