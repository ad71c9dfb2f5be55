// Fact → assertions: which registers it claims, and with which rank. Pure.
import { createHash } from 'node:crypto';
import type { Claims, TransferClaim, Turn } from '../providers/provider-fact.js';
import type { Fact, StoredRecording, WorkflowFact } from './fact.js';
import { handoverKeys, type HandoverWord } from './transfer-matching.js';
import type { Assertion, Stamp } from './merge.js';

/** Rank never falls; `active` and `transferring` share one. */
const LIVE_RANK = { ringing: 0, active: 1, transferring: 1 } as const;

export function assertionsOf(fact: Fact): Assertion[] {
  if (fact.source === 'workflow') return ofStatement(fact.statement, fact);
  return [...ofClaims(fact.claims, fact), ...(fact.stored ?? []).map((recording) => ofRecording(recording, fact))];
}

function ofClaims(claims: Claims, fact: Fact): Assertion[] {
  const stamp = (rank = 0): Stamp => [rank, claims.phase, claims.providerTime ?? 0, fact.receivedAt, fact.hash];
  const last = (key: string, value: unknown, rank = 0): Assertion => ({ key, value, stamp: stamp(rank), keep: 'last' });
  const found: Assertion[] = Object.entries(claims.fields).map(([name, value]) => last(`field.${name}`, value));
  found.push(last('kind', claims.kind));
  if (claims.live) found.push(last('live', claims.live, LIVE_RANK[claims.live]));
  if (claims.ended) found.push(last('ended', claims.ended), endSeen(fact));
  if (claims.agent) found.push({ ...last('agent', claims.agent), keep: 'first' });
  if (claims.analysed) found.push(last('analysed', true));
  for (const { variant, source } of claims.recordings) found.push(last(`source.${variant}`, source));
  for (const { part, reason } of claims.denied) found.push(last(`denied.${part}`, reason));
  for (const transfer of claims.transfers) found.push(...ofTransfer(transfer, fact, stamp));
  if (claims.transcript) found.push(ofTranscript(claims.transcript, fact, stamp()));
  if (claims.record !== null) {
    const reading = { mapping: claims.mappingVersion };
    found.push({ ...last('record', reading, richness(claims)), blob: claims.record });
  }
  // The provider's own record, read after the end, is what settles a conversation.
  if (fact.source === 'record' && claims.ended) found.push(last('confirmed', 'record'));
  return found;
}

/** What is heard while a conversation lives may all have one time, that of its start: the longest has been heard last. */
function ofTranscript(
  { turns, final, truncated }: NonNullable<Claims['transcript']>,
  fact: Fact,
  stamp: Stamp,
): Assertion {
  const [, phase, , ...receipt] = stamp;
  const reach = turns.reduce((latest, { start_ms: start, end_ms: end }) => Math.max(latest, end ?? start ?? 0), 0);
  return {
    key: 'transcript',
    value: {
      ...{ turn_count: turns.length, final, received_at: fact.receivedAt, digest: digestOf(turns) },
      ...(truncated && { truncated }),
    },
    // More turns rank higher, and all of them below what is final.
    stamp: final ? stamp : [-1 / (turns.length + 1), phase, reach, ...receipt],
    keep: 'last',
    blob: turns,
  };
}

/** Stays in the sealed state. */
const digestOf = (turns: Turn[]): string => createHash('sha256').update(JSON.stringify(turns)).digest('base64');

/** A provider that has deleted, or never kept, answers with less than its webhook said: the fuller document stays. */
const richness = ({ ended, transcript }: Claims): number => (ended !== null && transcript !== null ? 1 : 0);

/** Of two copies of one recording the first received stays: whoever listens to it keeps the same bytes. */
export const ofRecording = (
  recording: StoredRecording,
  { receivedAt, hash }: Pick<Fact, 'receivedAt' | 'hash'>,
): Assertion => ({
  key: `recording.${recording.variant}`,
  value: recording,
  stamp: [0, 0, 0, receivedAt, hash],
  keep: 'first',
});

/**
 * The first receipt of the provider's word of the end: deadlines count from it, whichever fact is applied first. Ours
 * (`lost`) counts only while there is no other, so that parts of a conversation that is taken back are waited for.
 */
const endSeen = (fact: Fact): Assertion => ({
  key: 'end_seen',
  value: fact.receivedAt,
  stamp: [0, fact.source === 'workflow' ? 1 : 0, 0, fact.receivedAt, fact.hash],
  keep: 'first',
});

function ofTransfer(
  { id, target, status, at: told }: TransferClaim,
  fact: Fact,
  stamp: (rank: number) => Stamp,
): Assertion[] {
  const at = told ?? fact.receivedAt;
  const first = { stamp: [0, 0, 0, fact.receivedAt, fact.hash], keep: 'first' } as const;
  const value: HandoverWord = { target, status, at };
  if (id === null) return [{ key: handoverKeys.word(status, fact.hash), value, ...first }];
  return [
    // Who names the target knows more than who does not.
    { key: handoverKeys.target(id), value: target, stamp: stamp(target.value === null ? -1 : 0), keep: 'last' },
    { key: handoverKeys.time(id, status), value: at, stamp: [0, 0, at, fact.receivedAt, fact.hash], keep: 'first' },
  ];
}

/** A provider's word (phase 1 and up) always beats ours (phase 0): a late end overrides `lost`. */
function ofStatement(statement: WorkflowFact, fact: Fact): Assertion[] {
  const stamp: Stamp = [0, 0, 0, fact.receivedAt, fact.hash];
  const last = (key: string, value: unknown): Assertion => ({ key, value, stamp, keep: 'last' });
  switch (statement.kind) {
    case 'recording_stored':
      return [ofRecording(statement.recording, fact)];
    case 'part_absent':
      return [last(`absent.${statement.part}`, statement.reason)];
    case 'recording_unavailable':
      return [last(`unavailable.${statement.variant}`, statement.source)];
    case 'record_unavailable':
      return [last('unconfirmed', statement.reason)];
    case 'lost':
      return [last('ended', { failed: true, neverConnected: false }), last('lost', statement.evidence), endSeen(fact)];
  }
}
