// Metrics and log lines about applied facts, written after the commit.
import type { Log } from '../common/log.js';
import { publicId } from '../common/ids.js';
import { documentTrimmed, endUnmapped, factsCommitted, recordingStored } from '../observability/metrics.js';
import type { Omission } from '../providers/storable-json.js';
import type { Fact } from '../reducer/fact.js';
import type { ConversationRef } from '../record-store/conversation-ref.js';
import type { ConversationRecord } from '../reducer/record.js';

export interface ApplyTelemetry {
  conversationId: string;
  provider: string;
  /** Epoch milliseconds, one per fact. */
  receivedAt: number[];
  status: string;
  recordState: string;
  /** It ended for a reason that the mapping does not know. */
  isUnmapped: boolean;
  /** Values of its documents that were changed or left out, because they cannot be stored or exceed a limit. */
  omitted: Omission[];
  /** End of a conversation whose first recording was stored by this change (epoch milliseconds); otherwise null. */
  inCustodySince: number | null;
}

/** A conversation first seen this long after its end is backfilled, so its delay is not measured. */
const PAST_MS = 3_600_000;

/** The telemetry of one application. Pure. */
export function telemetryOf(
  ref: ConversationRef,
  facts: Fact[],
  before: ConversationRecord | null,
  after: ConversationRecord,
): ApplyTelemetry {
  const { endTime } = after;
  const isStored = after.recordings.length > 0 && (before?.recordings.length ?? 0) === 0;
  const isPast = endTime === null || ref.createdAt.getTime() - endTime > PAST_MS;
  return {
    conversationId: publicId('conversation', ref.conversationId),
    provider: ref.provider,
    receivedAt: facts.map(({ receivedAt }) => receivedAt),
    status: after.status,
    recordState: after.recordState,
    isUnmapped: isUnmapped(after) && (before === null || !isUnmapped(before)),
    omitted: [...new Set(facts.flatMap((fact) => (fact.source === 'workflow' ? [] : (fact.omitted ?? []))))],
    inCustodySince: isStored && !isPast ? endTime : null,
  };
}

/** The provider gave a reason that the mapping does not know. */
const isUnmapped = ({ end, header }: ConversationRecord): boolean =>
  end?.category === 'unknown' && header.provider_reason !== null;

/** Counts and logs an application. */
export function reportApplied(log: Log, telemetry: ApplyTelemetry): void {
  const { conversationId: conversation_id, provider, receivedAt } = telemetry;
  factsCommitted(provider, receivedAt);
  if (telemetry.inCustodySince !== null) recordingStored(provider, telemetry.inCustodySince);
  const { status, recordState: record_state } = telemetry;
  log.debug('facts applied', { conversation_id, provider, facts: receivedAt.length, status, record_state });
  if (telemetry.omitted.length > 0) {
    log.warn('values of a document were left out', {
      conversation_id,
      provider,
      omitted: telemetry.omitted.join(' '),
    });
    for (const what of telemetry.omitted) documentTrimmed(provider, what);
  }
  if (!telemetry.isUnmapped) return;
  endUnmapped(provider);
  // The reason itself is in the sealed record (end.provider_reason).
  log.warn('the end reason of a conversation is not in the mapping', { conversation_id, provider });
}
