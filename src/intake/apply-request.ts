// What intake is asked to do for one conversation, and what came of it.
import type { Candidate } from '../inbox/pending-facts.js';
import type { ProviderAccount } from '../providers/provider-accounts.js';
import type { Json } from '../providers/provider-fact.js';
import type { Fact } from '../reducer/fact.js';
import type { ApplyTelemetry } from './apply-telemetry.js';
import type { StateAtRevision } from '../reducer/conversation-state.js';

/** A fact of our own that is applied at once: it never lies in the inbox, its receipt is committed with what it changed. */
export interface DirectFact {
  source: 'record' | 'workflow';
  kind: string;
  body: Json;
  hash: Buffer;
  receivedAt: Date;
  /** Where its trace goes on; null when nothing is traced. */
  traceparent: string | null;
}

/** Apply what waits for a conversation, and these facts of our own with it. */
export interface ApplyRequest {
  candidate: Candidate;
  /** Whose facts they are; null when the account is gone. */
  account: ProviderAccount | null;
  direct: DirectFact[];
  /** Facts of the inbox that were opened before, by id, and their recordings stored; null: of an erased conversation. */
  opened?: Map<string, Fact | null>;
}

export interface ApplyResult {
  /** How many facts; those that were known already are not counted. */
  facts: number;
  /** How many were moved to the audio lane instead. */
  moved: number;
  /** How many of the direct facts were new. */
  accepted: number;
  woken: boolean;
  /** To be told after the commit; null when no record was written. */
  telemetry: ApplyTelemetry | null;
  /** Null where the request had no direct facts, or nothing may be written any more. */
  stateAtRevision: StateAtRevision | null;
}
