// What intake is asked to do for one conversation, and what came of it.
import type { Candidate } from '../inbox/pending-facts.js';
import type { ProviderAccount } from '../providers/provider-accounts.js';
import type { Json } from '../providers/provider-fact.js';
import type { Fact } from '../reducer/fact.js';
import type { News } from './apply-telemetry.js';
import type { ConversationState } from '../reducer/reducer.js';

/** A fact of our own that is applied as it is said: it never lies in the inbox, its receipt is committed with what it changed. */
export interface SaidFact {
  source: 'record' | 'workflow';
  kind: string;
  body: Json;
  hash: Buffer;
  receivedAt: Date;
  /** Where its trace goes on; null when nothing is traced. */
  traceparent: string | null;
}

/** Apply what waits for a conversation, and what is said with it. */
export interface Order {
  candidate: Candidate;
  /** Whose facts they are; null when the account is gone. */
  account: ProviderAccount | null;
  said: SaidFact[];
  /** Facts of the inbox that were opened before, by id, and their recordings stored; null: of an erased conversation. */
  opened?: Map<string, Fact | null>;
}

/** Where a conversation stands after an order. */
export interface Standing {
  state: ConversationState;
  revision: number;
}

export interface Applied {
  /** How many facts; those that were known already are not counted. */
  facts: number;
  /** How many were moved to the audio lane instead. */
  moved: number;
  /** How many of those that were said were new. */
  accepted: number;
  woken: boolean;
  /** To be told after the commit; null when no record was written. */
  news: News | null;
  /** Null where the order said nothing, or nothing may be written any more. */
  standing: Standing | null;
}
