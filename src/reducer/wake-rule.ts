// Must the workflow of a conversation know? Pure.
import type { ConversationRecord } from './record.js';

export type WakeKind = 'started' | 'ended' | 'late';

/**
 * `started`: a first fact, unless everything came at once. `ended`: a live one is over. `late`: there is work again that its
 * workflow may have passed already: a recording can be fetched, or a provider knows a conversation that was given up.
 */
export function wakeOf(before: ConversationRecord | null, after: ConversationRecord): WakeKind | null {
  if (before === null) return after.recordState === 'settled' && after.fetchable.length === 0 ? null : 'started';
  if (before.recordState === 'open') return after.recordState === 'open' ? null : 'ended';
  if (before.recordState === 'settled' && after.recordState === 'settling') return 'late';
  return hasNewRecording(before, after) ? 'late' : null;
}

/** Whoever waits for the recording looks for its links himself; once it is there or absent, nobody does any more. */
function hasNewRecording(before: ConversationRecord, after: ConversationRecord): boolean {
  if (before.completeness.audio.state === 'pending') return false;
  const isOffered = after.fetchable.some((variant) => !before.fetchable.includes(variant));
  return isOffered || after.completeness.audio.state === 'pending';
}
