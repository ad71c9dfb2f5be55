// What every provider must show of itself: the contract suite runs over these descriptions, one a provider, in
// fixtures/<name>/contract.ts. All data is invented; numbers are from the reserved 555-01xx range.
import { readFileSync } from 'node:fs';
import type { Json, Turn } from '../../src/providers/provider-fact.js';
import type { ProviderCredentials } from '../../src/providers/provider.js';

export type Document = { [key: string]: Json };

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
  /** The provider's record at its fullest, by kind, and the fields of the common model that it cannot give. */
  fullest: Record<string, { record: Document; knowinglyNull: string[] }>;
  /** By kind: a record of something that is over and analysed, which says nothing else. */
  bare: Record<string, Document>;
  /** Every reason for an end, as a record. */
  ends: { says: string; record: Document; category: string; party: string | null }[];
  /** Every status of the provider, as a record, and ours. */
  statuses: { says: string; record: Document; status: string }[];
  transcripts: { record: Document; turns: Partial<Turn>[] }[];
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
