// Fact → writes to registers, each with its stamp. Pure.
import { createHash } from 'node:crypto';
import type { Claims, Fields, Part, TransferClaim, Turn } from '../providers/provider-fact.js';
import type { Fact, StoredRecording, WorkflowFact } from './fact.js';
import { writeMember, writeTo, type RegisterWrite, type Stamp } from './registers.js';

/** The status never falls to a lower rank; `active` and `transferring` share one. */
const LIVE_RANK = { ringing: 0, active: 1, transferring: 1 } as const;

/** Makes stamps for the claims of one document. */
type StampOf = (rank?: number) => Stamp;

/** The register writes of a fact. */
export function writesOf(fact: Fact): RegisterWrite[] {
  if (fact.source === 'workflow') return ofStatement(fact.statement, fact);
  return [...ofClaims(fact.claims, fact), ...(fact.stored ?? []).map((recording) => ofRecording(recording, fact))];
}

function ofClaims(claims: Claims, fact: Fact): RegisterWrite[] {
  const stamp: StampOf = (rank = 0) => [rank, claims.phase, claims.providerTime ?? 0, fact.receivedAt, fact.hash];
  return [
    ...ofFields(claims.fields, stamp()),
    ...ofStatus(claims, fact, stamp),
    ...claims.recordings.map(({ variant, source }) => writeMember('source', variant, source, stamp())),
    ...claims.denied.map(({ part, reason }) => writeMember('denied', part, reason, stamp())),
    ...claims.transfers.flatMap((transfer) => ofTransfer(transfer, fact, stamp)),
    ...ofContent(claims, fact, stamp),
  ];
}

/** A judgement brings its reasons, or takes those of the one before: they are claimed together, though kept apart. */
const ofFields = (fields: Partial<Fields>, stamp: Stamp): RegisterWrite[] =>
  Object.entries('outcome' in fields ? { rationale: '', ...fields } : fields).map(([name, value]) =>
    writeMember('field', name, value, stamp),
  );

function ofStatus({ kind, live, ended, agent, analysed }: Claims, fact: Fact, stamp: StampOf): RegisterWrite[] {
  const found = [writeTo('kind', kind, stamp())];
  if (live) found.push(writeTo('live', live, stamp(LIVE_RANK[live])));
  if (ended) found.push(writeTo('ended', ended, stamp()), endSeen(fact));
  if (agent) found.push(writeTo('agent', agent, stamp()));
  if (analysed) found.push(writeTo('analysed', true, stamp()));
  // A conversation settles only after the provider's own record was read after the end.
  if (fact.source === 'record' && ended) found.push(writeTo('confirmed', 'record', stamp()));
  return found;
}

function ofContent(claims: Claims, fact: Fact, stamp: StampOf): RegisterWrite[] {
  const found: RegisterWrite[] = [];
  if (claims.transcript) found.push(ofTranscript(claims.transcript, fact, stamp()));
  if (claims.record === null) return found;
  const reading = writeTo('record', { mapping: claims.mappingVersion }, stamp(richness(claims)));
  return [...found, { ...reading, blob: claims.record }];
}

/** Live transcripts may all have the provider time of the conversation's start, so the longest one counts as the latest. */
function ofTranscript(
  { turns, final, truncated }: NonNullable<Claims['transcript']>,
  { receivedAt }: Fact,
  stamp: Stamp,
): RegisterWrite {
  const [, phase, , ...receipt] = stamp;
  const reach = turns.reduce((latest, { start_ms: start, end_ms: end }) => Math.max(latest, end ?? start ?? 0), 0);
  const summary = {
    turn_count: turns.length,
    final,
    received_at: receivedAt,
    digest: digestOf(turns),
    ...(truncated && { truncated }),
  };
  // More turns rank higher; every live transcript ranks below a final one.
  const transcriptStamp: Stamp = final ? stamp : [-1 / (turns.length + 1), phase, reach, ...receipt];
  return { ...writeTo('transcript', summary, transcriptStamp), blob: turns };
}

/** Stored in the sealed state only. */
const digestOf = (turns: Turn[]): string => createHash('sha256').update(JSON.stringify(turns)).digest('base64');

/** A provider that has deleted or never stored content answers with less than its webhook contained: the fuller document wins. */
const richness = ({ ended, transcript }: Claims): number => (ended !== null && transcript !== null ? 1 : 0);

type Receipt = Pick<Fact, 'receivedAt' | 'hash'>;

/** A stamp that is decided by the receipt alone. */
const received = ({ receivedAt, hash }: Receipt, phase = 0): Stamp => [0, phase, 0, receivedAt, hash];

/** Of two copies of a recording the first received wins, so that listeners keep getting the same bytes. */
export const ofRecording = (recording: StoredRecording, fact: Receipt): RegisterWrite =>
  writeMember('recording', recording.variant, recording, received(fact));

/**
 * The first receipt of the provider's report of the end: deadlines count from it, whichever fact is applied first. Our own
 * report (`lost`) counts only if there is no other, so that the parts of a conversation that turns up again are waited for.
 */
const endSeen = (fact: Fact): RegisterWrite =>
  writeTo('end_seen', fact.receivedAt, received(fact, fact.source === 'workflow' ? 1 : 0));

function ofTransfer({ id, target, status, at: claimedAt }: TransferClaim, fact: Fact, stamp: StampOf): RegisterWrite[] {
  const at = claimedAt ?? fact.receivedAt;
  if (id === null) {
    return [writeMember('transfer_report', `${status}.${fact.hash}`, { target, status, at }, received(fact))];
  }
  return [
    // A claim that names the target outranks one that does not.
    writeMember('transfer_target', id, target, stamp(target.value === null ? -1 : 0)),
    writeMember('transfer_time', `${status}.${id}`, at, [0, 0, at, fact.receivedAt, fact.hash]),
  ];
}

/** A class whose key was destroyed at a time (epoch milliseconds). A fact that reports the erasure goes before: it has the reason. */
export const ofDestroyedKey = (part: Part, at: number): RegisterWrite =>
  writeMember('erased', part, { reason: 'key_destroyed', at }, [0, 1, 0, at, '']);

/** A provider's claim (phase 1 and up) always beats ours (phase 0): a late end overrides `lost`. */
function ofStatement(statement: WorkflowFact, fact: Fact): RegisterWrite[] {
  const stamp = received(fact);
  switch (statement.kind) {
    case 'recording_stored':
      return [ofRecording(statement.recording, fact)];
    case 'part_absent':
      return [writeMember('absent', statement.part, statement.reason, stamp)];
    case 'class_erased':
      return [writeMember('erased', statement.class, { reason: statement.reason, at: statement.at }, stamp)];
    case 'recording_unavailable':
      return [writeMember('unavailable', statement.variant, statement.source, stamp)];
    case 'record_unavailable':
      return [writeTo('unconfirmed', statement.reason, stamp)];
    case 'lost':
      return [
        writeTo('ended', { failed: true, neverConnected: false }, stamp),
        writeTo('lost', statement.evidence, stamp),
        endSeen(fact),
      ];
  }
}
