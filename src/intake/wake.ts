// Must the workflow of a conversation know? Pure.
import type { ConversationRecord } from './record.js';

export type WakeKind = 'started' | 'ended' | 'late';

/**
 * `started`: a first fact, unless everything came at once. `ended`: a live one is over. `late`: it had settled, and now
 * there is work again (a recording can be fetched, or a provider knows a conversation that was given up).
 */
export function wakeOf(before: ConversationRecord | null, after: ConversationRecord): WakeKind | null {
  if (before === null) return after.recordState === 'settled' ? null : 'started';
  if (before.recordState === 'open' && after.recordState !== 'open') return 'ended';
  if (before.recordState !== 'settled') return null;
  const fetchable = after.fetchable.some((variant) => !before.fetchable.includes(variant));
  return fetchable || after.recordState === 'settling' ? 'late' : null;
}
