// Traffic that nobody stops stays small: once the recordings of a workspace are so large, what goes on are chats, now and
// then. What counts is read off the records, so the bound holds over restarts, and what is deleted makes room again.

/** What traffic may make. */
export interface Bound {
  /** Bytes of recordings of one provider's workspace, as they are offered for download. */
  recordingBytes: number;
  /** Chats a minute beyond. */
  quietPerMinute: number;
  /** Epoch milliseconds; older records do not count: another receiver has got those. */
  sinceMs: number;
}

/** One chat in ten minutes: some megabytes a day. */
export const QUIET_PER_MINUTE = 0.1;

/** Whether the recordings that were made since then reach the bound. `bytesOf` says what one record offers. */
export function isReached<T>(
  bound: Bound | undefined,
  heads: () => readonly { head: T; notes: { createdMs: number } }[],
  bytesOf: (head: T) => number,
): boolean {
  if (bound === undefined) return false;
  let bytes = 0;
  for (const { head, notes } of heads()) if (notes.createdMs >= bound.sinceMs) bytes += bytesOf(head);
  return bytes >= bound.recordingBytes;
}
