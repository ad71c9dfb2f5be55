// State → record. Pure; the only code that decides status, record state and completeness.
import { plainValues } from '../providers/plain-fields.js';
import type { Fields, LiveStatus, Part } from '../providers/provider-fact.js';
import type { StoredRecording } from './fact.js';
import { fieldOf, membersOf, valueOf, type Registers } from './registers.js';
import { headerOf, numberReader, type FieldReader, type NumberReader } from './header.js';
import { fetchableOf, isConfirmed, isLost, partsOf } from './completeness.js';
import type { ConversationRecord, Status } from './record.js';
import type { ConversationState } from './conversation-state.js';
import { segmentsOf, transfersOf } from './transfers.js';

/** How long a part is waited for after the end, seconds (account setting `deadlines`). */
export type PartDeadlines = Record<Part, number>;

/** End categories that count as failed, even if the provider reports a normal end. */
const FAILED_CATEGORIES = new Set([
  ...['no_answer', 'busy', 'declined', 'unreachable', 'capacity', 'billing', 'blocked', 'dropped', 'lost'],
  ...['error_provider', 'error_customer_setup', 'error_telephony'],
]);

/** The number per document is bounded, but there may be many documents; further transfers are dropped. */
const MAX_TRANSFERS = 200;

export interface ProjectionSettings {
  deadlines: PartDeadlines;
  /** ISO 3166 region for numbers without +; null: none. */
  defaultRegion: string | null;
  /** Default: {@link numberReader} for the region. */
  readNumber?: NumberReader;
}

/** The record that follows from a state. Deadlines count from the first receipt of the end. */
export function project(
  { registers, firstSeen, lastSeen }: ConversationState,
  settings: ProjectionSettings,
): ConversationRecord {
  const field: FieldReader = (name) => fieldOf(registers, name);
  const ended = valueOf(registers, 'ended');
  const end = ended === null ? null : endOf(registers, field('end'));
  const status = statusOf(valueOf(registers, 'live'), ended, end?.category ?? null);
  const startTime = field('start_time') ?? firstSeen;
  const endTime = ended === null ? null : (field('end_time') ?? valueOf(registers, 'end_seen'));
  const transcript = valueOf(registers, 'transcript');
  const durationMs = ended === null ? null : durationOf(field);
  const completeness = partsOf(registers, {
    hasEnded: ended !== null,
    neverConnected: ended?.neverConnected ?? false,
    deadlines: settings.deadlines,
  });
  const agent = valueOf(registers, 'agent');
  const transfers = transfersOf(registers, endTime).slice(0, MAX_TRANSFERS);
  const segments = segmentsOf({ startTime, endTime, transfers, agentId: agent?.providerAgentId ?? null });
  const resolved = Object.values(completeness).every(({ state }) => state !== 'pending');
  return {
    agent,
    channel: field('channel') ?? (valueOf(registers, 'kind') === 'chat' ? 'chat' : 'other'),
    ...plainValues(field),
    status,
    recordState: ended === null ? 'open' : resolved && isConfirmed(registers) ? 'settled' : 'settling',
    startTime,
    endTime,
    durationMs,
    end: end && { category: end.category, party: end.party },
    outcome: outcomeOf(field('outcome'), valueOf(registers, 'analysed') ?? false),
    sentiment: field('sentiment'),
    turnCount: transcript?.turn_count ?? 0,
    transferCount: transfers.filter(({ status: state }) => state !== 'cancelled' && state !== 'failed').length,
    cost: field('cost'),
    latency: field('latency'),
    completeness,
    lastFactAt: lastSeen,
    lastTurnAt: transcript?.received_at ?? null,
    lostEvidence: end?.category === 'lost' ? valueOf(registers, 'lost') : null,
    recordings: recordingsOf(registers, durationMs),
    holder: segments.at(-1)?.holder ?? 'agent',
    fetchable: fetchableOf(registers),
    header: headerOf(field, {
      readNumber: settings.readNumber ?? numberReader(settings.defaultRegion),
      transfers,
      segments,
      reason: end?.provider_reason,
    }),
  };
}

function statusOf(live: LiveStatus | null, ended: { failed: boolean } | null, category: string | null): Status {
  // Without any status claim: the lowest one, so that no later claim can lower it.
  if (ended === null) return live ?? 'ringing';
  return ended.failed || (category !== null && FAILED_CATEGORIES.has(category)) ? 'failed' : 'completed';
}

/** The provider's duration, else the time between its own start and end; never derived from our receipt times. */
function durationOf(field: FieldReader): number | null {
  const [given, start, end] = [field('duration_ms'), field('start_time'), field('end_time')];
  if (given !== null) return given;
  return start !== null && end !== null ? Math.max(0, end - start) : null;
}

/** `lost` if only we declared the end; else the provider's reason, or `unknown` if it gave none. */
function endOf(registers: Registers, claimed: Fields['end'] | null): Fields['end'] {
  if (isLost(registers)) return { category: 'lost', party: null, provider_reason: null };
  return claimed ?? { category: 'unknown', party: null, provider_reason: null };
}

/** Null before an analysis; `unknown` if the analysis gave no outcome. */
function outcomeOf(claimed: Fields['outcome'] | null, analysed: boolean): ConversationRecord['outcome'] {
  return claimed ?? (analysed ? { value: 'unknown', score: null } : null);
}

/** A recording without a known length is assumed to be as long as the conversation. */
function recordingsOf(registers: Registers, durationMs: number | null): StoredRecording[] {
  return membersOf(registers, 'recording').map(({ value: recording }) => ({
    ...recording,
    duration_ms: recording.duration_ms ?? durationMs,
  }));
}
