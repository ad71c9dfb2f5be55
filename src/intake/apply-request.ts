// Request and result of applying facts to one conversation.
import type { Candidate } from '../inbox/pending-facts.js';
import type { ProviderAccount } from '../providers/provider-accounts.js';
import type { Json } from '../providers/provider-fact.js';
import type { Fact } from '../reducer/fact.js';
import type { ApplyTelemetry } from './apply-telemetry.js';
import type { StateAtRevision } from '../reducer/conversation-state.js';

/** A fact of our own that is applied at once, without the inbox; its receipt is committed together with its changes. */
export interface DirectFact {
  source: 'record' | 'workflow';
  kind: string;
  body: Json;
  hash: Buffer;
  receivedAt: Date;
  /** W3C traceparent; null: not traced. */
  traceparent: string | null;
}

/** Applies the pending facts of a conversation, together with `direct`. */
export interface ApplyRequest {
  candidate: Candidate;
  /** Null if the account no longer exists. */
  account: ProviderAccount | null;
  direct: DirectFact[];
  /** Pending facts that are already opened and whose recordings are stored, by id; null: the conversation is erased. */
  opened?: Map<string, Fact | null>;
}

export interface ApplyResult {
  /** How many facts were applied, without duplicates. */
  facts: number;
  /** How many were moved to the audio lane instead. */
  moved: number;
  /** How many of the direct facts were new. */
  accepted: number;
  /** A workflow command was written. */
  woken: boolean;
  /** The search index lags behind it. */
  reindex: boolean;
  /** To be reported after the commit; null if no record was written. */
  telemetry: ApplyTelemetry | null;
  /** Null if the request had no direct facts, or the conversation is erased. */
  stateAtRevision: StateAtRevision | null;
}
