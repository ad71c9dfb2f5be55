// What every provider must provide to be tested: the contract suite runs over these descriptions, one per provider, in
// fixtures/<name>/contract.ts. All data is invented; numbers are from the reserved 555-01xx range.
import { readFileSync } from 'node:fs';
import type { PlainField, PlainValues } from '../../src/providers/plain-fields.js';
import type { ConversationRecord } from '../../src/reducer/record.js';
import type { Json, Part, Turn } from '../../src/providers/provider-fact.js';
import type { ProviderCredentials } from '../../src/providers/provider.js';

export type Document = { [key: string]: Json };

/** A document, and how it arrives. */
export type Said = { record: Document } | { webhook: Document };

/**
 * The common model, except what the provider does not determine: whose account it is, and when we first saw the conversation. For
 * each field, where our record has it; null: there is no field for it, and it is found in the provider's document, which is
 * stored sealed with the conversation.
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

/** The record that a document produces, except what depends on when it arrived. Plain fields that are left out are null. */
export type MadeRecord = MadeAlways & Partial<PlainValues>;

interface Fullest {
  record: Document;
  makes: MadeRecord;
  /** Fields of {@link COMMON_MODEL} without a field in our record → where the document has them. */
  kept: Record<string, string>;
  /** Fields of {@link COMMON_MODEL} that this provider does not have. */
  knowinglyNull: string[];
}

export interface ProviderContract {
  credentials: ProviderCredentials;
  /** The headers of a signed webhook; `atMs` is the time of signing. */
  sign(rawBody: string, atMs: number): Record<string, string>;
  /** Largest valid and smallest invalid age of a signature, milliseconds; negative: in the future. */
  ages: { accepted: number[]; refused: number[] };
  /** A signature that was computed independently. */
  vector: { rawBody: string; headers: Record<string, string>; atMs: number; credentials: ProviderCredentials };
  /** Every event that the provider documents, with its conversation. */
  events: { body: Document; kind: string; id: string; agentId: string | null }[];
  /** Unknown events, or events without an id. */
  unknown: Document[];
  /** The provider's fullest record, by kind. */
  fullest: Record<string, Fullest>;
  /** By kind: a record of an ended and analysed conversation with nothing else. */
  bare: Record<string, Document>;
  /** Every reason for an end, and the text that is stored of it. */
  ends: (Said & { says: string; category: string; party: string | null; reason: string | null })[];
  /** Every status of the provider, as a record, and ours. */
  statuses: { says: string; record: Document; status: string }[];
  transcripts: { record: Document; turns: Partial<Turn>[] }[];
  /** Every reason for which documents say that a part will never come; null: it is waited for. */
  absences: (Said & { says: string; part: Part; reason: string | null })[];
  /** The source that a payload would claim for a recording at this address. */
  recordingAt(baseUrl: string): string;
  /** Values in the fixtures that must never be stored. */
  secrets: string[];
}

/** The contract of a provider, if it has one. */
export const loadContract = async (name: string): Promise<ProviderContract> =>
  ((await import(`./fixtures/${name}/contract.ts`)) as { contract: ProviderContract }).contract;

/** A fixture beside the contract at `url`. */
export const fixture = (url: string, name: string): Document =>
  JSON.parse(readFileSync(new URL(name, url), 'utf8')) as Document;

/** The document with some members changed; members set to undefined are left out. */
export const changed = (document: Document, more: { [key: string]: Json | undefined }): Document =>
  JSON.parse(JSON.stringify({ ...document, ...more })) as Document;
