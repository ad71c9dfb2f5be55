// Decides whether a change requires a workflow command. Pure.
import type { ConversationRecord } from './record.js';

export type WakeKind = 'started' | 'ended' | 'late';

/**
 * `started`: first facts, unless they settle the conversation at once. `ended`: a live conversation has ended. `late`: there is
 * new work that its workflow may have passed already: a recording can be fetched, or a lost conversation has turned up again.
 */
export function wakeOf(before: ConversationRecord | null, after: ConversationRecord): WakeKind | null {
  if (before === null) return after.recordState === 'settled' && after.fetchable.length === 0 ? null : 'started';
  if (before.recordState === 'open') return after.recordState === 'open' ? null : 'ended';
  if (before.recordState === 'settled' && after.recordState === 'settling') return 'late';
  return hasNewRecording(before, after) ? 'late' : null;
}

/** While the audio is pending, the workflow looks for links itself; once it is present or absent, it no longer does. */
function hasNewRecording(before: ConversationRecord, after: ConversationRecord): boolean {
  if (before.completeness.audio.state === 'pending') return false;
  const isOffered = after.fetchable.some((variant) => !before.fetchable.includes(variant));
  return isOffered || after.completeness.audio.state === 'pending';
}
