// The record of a conversation: plain values, which become columns, and the header, which is sealed.
import type { PlainValues } from '../providers/plain-fields.js';
import type { Channel, Fields, Json, Part } from '../providers/provider-fact.js';
import type { StoredRecording } from './fact.js';

export type Status = 'ringing' | 'active' | 'transferring' | 'completed' | 'failed';
export type RecordState = 'open' | 'settling' | 'settled';

export interface Completeness {
  state: 'pending' | 'present' | 'absent' | 'erased';
  reason: string | null;
  /** Epoch milliseconds; null while nothing is waited for. */
  dueAt: number | null;
}

export interface Segment {
  holder: 'agent' | 'phone' | 'human';
  /** Here the provider's id of the agent; ours once it is stored. */
  agent_id: string | null;
  start_time: number;
  end_time: number | null;
}

export interface TransferRecord {
  kind: 'blind' | 'warm' | null;
  /** An agent has the provider's id here, and ours once it is stored. */
  target: { type: 'phone' | 'agent'; value: string | null };
  status: 'in_progress' | 'bridged' | 'cancelled' | 'failed' | 'completed';
  initiated_by: 'provider';
  start_time: number | null;
  end_time: number | null;
}

/** The sealed part of a record, itself in parts: each member under the key of its class. */
export interface Header {
  provider_conversation_id: string | null;
  /** E.164 if it parses, else as given; null if withheld. */
  customer_number: string | null;
  customer_user_id: string | null;
  presentation: 'allowed' | 'restricted' | null;
  agent_number: string | null;
  provider_reason: string | null;
  title: string | null;
  summary: string | null;
  rationale: string | null;
  tags: string[];
  metadata: { [key: string]: Json };
  variables: { [key: string]: Json };
  collected_variables: { [key: string]: Json };
  correlation: Fields['correlation'];
  segments: Segment[];
  transfers: TransferRecord[];
}

export interface ConversationRecord extends PlainValues {
  agent: { providerAgentId: string; name: string | null; version: string | null } | null;
  channel: Channel;
  status: Status;
  recordState: RecordState;
  startTime: number;
  endTime: number | null;
  durationMs: number | null;
  end: { category: string; party: string | null } | null;
  outcome: { value: string; score: number | null } | null;
  sentiment: { label: string; score: number | null } | null;
  turnCount: number;
  transferCount: number;
  cost: Fields['cost'] | null;
  latency: Fields['latency'] | null;
  completeness: Record<Part, Completeness>;
  lastFactAt: number;
  lastTurnAt: number | null;
  lostEvidence: string | null;
  recordings: StoredRecording[];
  /** Who holds the conversation now, or held it last. */
  holder: Segment['holder'];
  /** Variants that the provider offers and that are neither stored nor given up. */
  fetchable: string[];
  header: Header;
}
