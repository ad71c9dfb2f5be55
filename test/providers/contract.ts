// What every provider must show of itself: the contract suite runs over these descriptions, one a provider, in
// fixtures/<name>/contract.ts. All data is invented; numbers are from the reserved 555-01xx range.
import { readFileSync } from 'node:fs';
import type { PlainField, PlainValues } from '../../src/providers/plain-fields.js';
import type { ConversationRecord } from '../../src/reducer/record.js';
import type { Json, Part, Turn } from '../../src/providers/provider-fact.js';
import type { ProviderCredentials } from '../../src/providers/provider.js';

export type Document = { [key: string]: Json };

/** A document, and the way it comes. */
export type Said = { record: Document } | { webhook: Document };

/**
 * The common model (reference/providers.md 10.1), but for what is not the provider's to tell: whose account it is, and when
 * we first saw it. Each field by where our record has it; null: it has no field of its own there, and is found in the
 * provider's document, which is kept with the conversation, sealed.
 */
export const COMMON_MODEL: Record<string, string | null> = {
  provider_kind: 'kind',
  provider_id: 'header.provider_conversation_id',
  channel: 'channel',
  direction: 'direction',
  status: 'status',
  started_at: 'startTime',
  answered_at: null,
  ended_at: 'endTime',
  duration_ms: 'durationMs',
  'customer.number': 'header.customer_number',
  'customer.external_id': 'header.customer_user_id',
  'agent.number': 'header.agent_number',
  'agent.id': 'agent.providerAgentId',
  'agent.name': 'agent.name',
  'agent.version': 'agent.version',
  agents: 'header.segments',
  'end.raw': 'header.provider_reason',
  'end.category': 'end.category',
  outcome: 'outcome.value',
  outcome_score: 'outcome.score',
  criteria: null,
  summary: 'header.summary',
  title: 'header.title',
  sentiment: 'sentiment',
  in_voicemail: null,
  extracted: null,
  variables: 'header.variables',
  metadata: 'header.metadata',
  cost: 'cost',
  cost_items: null,
  latency: 'latency',
  recordings: 'fetchable',
  transfers: 'header.transfers',
  correlation: 'header.correlation',
  batch_id: null,
  parent_provider_id: null,
  language: 'language',
  'privacy.storage': null,
  provider_expires_at: null,
  provider_deleted_at: null,
};

type MadeAlways = Omit<ConversationRecord, 'lastFactAt' | 'lastTurnAt' | 'lostEvidence' | 'recordings' | PlainField>;

/** What one record makes, but for what depends on when it came. Plain fields that are left out are null. */
export type MadeRecord = MadeAlways & Partial<PlainValues>;

interface Fullest {
  record: Document;
  makes: MadeRecord;
  /** Fields of {@link COMMON_MODEL} that have none in our record → where the document has them. */
  kept: Record<string, string>;
  /** Fields of {@link COMMON_MODEL} that this provider cannot give. */
  knowinglyNull: string[];
}

export interface ProviderContract {
  credentials: ProviderCredentials;
  /** The headers of a signed webhook; `atMs` is the time of signing. */
  sign(rawBody: string, atMs: number): Record<string, string>;
  /** How old a signature may be, and how old it may not: milliseconds, negative when it lies ahead. */
  ages: { accepted: number[]; refused: number[] };
  /** A signature that was computed elsewhere. */
  vector: { rawBody: string; headers: Record<string, string>; atMs: number; credentials: ProviderCredentials };
  /** Every event that the provider documents, with the conversation that it speaks of. */
  events: { body: Document; kind: string; id: string; agentId: string | null }[];
  /** Events that we do not know, or without an id. */
  unknown: Document[];
  /** The provider's record at its fullest, by kind. */
  fullest: Record<string, Fullest>;
  /** By kind: a record of something that is over and analysed, which says nothing else. */
  bare: Record<string, Document>;
  /** Every reason for an end, and the words that are kept of it. */
  ends: (Said & { says: string; category: string; party: string | null; reason: string | null })[];
  /** Every status of the provider, as a record, and ours. */
  statuses: { says: string; record: Document; status: string }[];
  transcripts: { record: Document; turns: Partial<Turn>[] }[];
  /** Every reason for which documents say that a part will not come; null: it is waited for. */
  absences: (Said & { says: string; part: Part; reason: string | null })[];
  /** What a payload would name as the source of a recording that is had from this address. */
  recordingAt(baseUrl: string): string;
  /** Values in the fixtures that must never be kept. */
  secrets: string[];
}

/** The contract of a provider that has one. */
export const loadContract = async (name: string): Promise<ProviderContract> =>
  ((await import(`./fixtures/${name}/contract.ts`)) as { contract: ProviderContract }).contract;

/** A fixture that lies beside the contract of `url`. */
export const fixture = (url: string, name: string): Document =>
  JSON.parse(readFileSync(new URL(name, url), 'utf8')) as Document;

/** The document with some members changed; one that is set to undefined is left out. */
export const changed = (document: Document, more: { [key: string]: Json | undefined }): Document =>
  JSON.parse(JSON.stringify({ ...document, ...more })) as Document;
