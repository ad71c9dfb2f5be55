// What operators learn of applied facts: counted and logged once they are committed, never before.
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
  /** Epoch milliseconds, one a fact. */
  receivedAt: number[];
  status: string;
  recordState: string;
  /** It ended, for a reason that the mapping does not know. */
  isUnmapped: boolean;
  /** What of its documents was changed or left out, since it could not be stored or was beyond a bound. */
  omitted: Omission[];
  /** When a live conversation ended (epoch milliseconds) whose first recording is now ours; null otherwise. */
  inCustodySince: number | null;
}

/** What was first heard of so long after its end comes from an account's past: its times tell nothing of ours. */
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

/** The provider gave a reason, and the mapping made nothing of it. */
const isUnmapped = ({ end, header }: ConversationRecord): boolean =>
  end?.category === 'unknown' && header.provider_reason !== null;

/** Counts and logs it. */
export function reportApplied(log: Log, telemetry: ApplyTelemetry): void {
  const { conversationId: conversation_id, provider, receivedAt } = telemetry;
  factsCommitted(provider, receivedAt);
  if (telemetry.inCustodySince !== null) recordingStored(provider, telemetry.inCustodySince);
  const { status, recordState: record_state } = telemetry;
  log.debug('facts applied', { conversation_id, provider, facts: receivedAt.length, status, record_state });
  if (telemetry.omitted.length > 0) {
    log.warn('values of a document were left out', { conversation_id, provider, omitted: telemetry.omitted.join(' ') });
    for (const what of telemetry.omitted) documentTrimmed(provider, what);
  }
  if (!telemetry.isUnmapped) return;
  endUnmapped(provider);
  // Its words are in the record (end.provider_reason), for those who may read it.
  log.warn('the end reason of a conversation is not in the mapping', { conversation_id, provider });
}
