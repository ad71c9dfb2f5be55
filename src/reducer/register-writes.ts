// Fact → claims to registers: which of them, and with which rank. Pure.
import { createHash } from 'node:crypto';
import type { Claims, Fields, TransferClaim, Turn } from '../providers/provider-fact.js';
import type { Fact, StoredRecording, WorkflowFact } from './fact.js';
import { writeMember, writeTo, type RegisterWrite, type Stamp } from './registers.js';

/** Rank never falls; `active` and `transferring` share one. */
const LIVE_RANK = { ringing: 0, active: 1, transferring: 1 } as const;

/** Stamps of what one document says, by rank. */
type StampOf = (rank?: number) => Stamp;

/** What a fact claims. */
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

const ofFields = (fields: Partial<Fields>, stamp: Stamp): RegisterWrite[] =>
  Object.entries(fields).map(([name, value]) => writeMember('field', name, value, stamp));

function ofStatus({ kind, live, ended, agent, analysed }: Claims, fact: Fact, stamp: StampOf): RegisterWrite[] {
  const found = [writeTo('kind', kind, stamp())];
  if (live) found.push(writeTo('live', live, stamp(LIVE_RANK[live])));
  if (ended) found.push(writeTo('ended', ended, stamp()), endSeen(fact));
  if (agent) found.push(writeTo('agent', agent, stamp()));
  if (analysed) found.push(writeTo('analysed', true, stamp()));
  // The provider's own record, read after the end, is what settles a conversation.
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

/** What is heard while a conversation lives may all have one time, that of its start: the longest has been heard last. */
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
  // More turns rank higher, and all of them below what is final.
  const heard: Stamp = final ? stamp : [-1 / (turns.length + 1), phase, reach, ...receipt];
  return { ...writeTo('transcript', summary, heard), blob: turns };
}

/** Stays in the sealed state. */
const digestOf = (turns: Turn[]): string => createHash('sha256').update(JSON.stringify(turns)).digest('base64');

/** A provider that has deleted, or never kept, answers with less than its webhook said: the fuller document stays. */
const richness = ({ ended, transcript }: Claims): number => (ended !== null && transcript !== null ? 1 : 0);

type Receipt = Pick<Fact, 'receivedAt' | 'hash'>;

/** Decided by the receipt alone. */
const received = ({ receivedAt, hash }: Receipt, phase = 0): Stamp => [0, phase, 0, receivedAt, hash];

/** Of two copies of one recording the first received stays: whoever listens to it keeps the same bytes. */
export const ofRecording = (recording: StoredRecording, fact: Receipt): RegisterWrite =>
  writeMember('recording', recording.variant, recording, received(fact));

/**
 * The first receipt of the provider's word of the end: deadlines count from it, whichever fact is applied first. Ours
 * (`lost`) counts only while there is no other, so that parts of a conversation that is taken back are waited for.
 */
const endSeen = (fact: Fact): RegisterWrite =>
  writeTo('end_seen', fact.receivedAt, received(fact, fact.source === 'workflow' ? 1 : 0));

function ofTransfer({ id, target, status, at: told }: TransferClaim, fact: Fact, stamp: StampOf): RegisterWrite[] {
  const at = told ?? fact.receivedAt;
  if (id === null) {
    return [writeMember('transfer_report', `${status}.${fact.hash}`, { target, status, at }, received(fact))];
  }
  return [
    // Who names the target knows more than who does not.
    writeMember('transfer_target', id, target, stamp(target.value === null ? -1 : 0)),
    writeMember('transfer_time', `${status}.${id}`, at, [0, 0, at, fact.receivedAt, fact.hash]),
  ];
}

/** A provider's word (phase 1 and up) always beats ours (phase 0): a late end overrides `lost`. */
function ofStatement(statement: WorkflowFact, fact: Fact): RegisterWrite[] {
  const stamp = received(fact);
  switch (statement.kind) {
    case 'recording_stored':
      return [ofRecording(statement.recording, fact)];
    case 'part_absent':
      return [writeMember('absent', statement.part, statement.reason, stamp)];
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
