// Limits unattended traffic: once the recordings of a workspace reach a size limit, only an occasional chat is generated.
// The size is computed from the records, so the limit survives restarts and deleted records free space again.

/** The limit of traffic. */
export interface Bound {
  /** Total bytes of recordings that one provider's workspace offers for download. */
  recordingBytes: number;
  /** Chats per minute beyond the limit. */
  quietPerMinute: number;
  /** Epoch milliseconds; older records do not count, because they went to another receiver. */
  sinceMs: number;
}

/** One chat every ten minutes: a few megabytes a day. */
export const QUIET_PER_MINUTE = 0.1;

/** Whether the recordings made since `sinceMs` reach the limit. `bytesOf` returns the recording bytes of one record. */
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
