// A fact after intake has decrypted and interpreted it: what it claims, and when it was first received.
import type { Omission } from '../providers/storable-json.js';
import type { Claims, Json, Part, RecordingVariant } from '../providers/provider-fact.js';

/** A recording in our store. `bytes` is the length of the audio itself, without encryption. */
export interface StoredRecording {
  id: string;
  variant: RecordingVariant;
  content_type: string;
  bytes: number;
  duration_ms: number | null;
  object_key: string;
  created_at: number;
}

/** A fact that a conversation's workflow reports. */
export type WorkflowFact =
  | { kind: 'recording_stored'; recording: StoredRecording }
  | { kind: 'part_absent'; part: Part; reason: string }
  /** A class of data was erased, epoch milliseconds; nothing brings it back. */
  | { kind: 'class_erased'; class: Part; reason: string; at: number }
  /** Nobody knows how it ended; `evidence` is what the provider answered when asked. */
  | { kind: 'lost'; evidence: string }
  /** The recording could not be fetched from `source`; a source that the provider names later is tried again. */
  | { kind: 'recording_unavailable'; variant: RecordingVariant; source: string; reason: string }
  /** The provider's record is unavailable; the conversation is based on its webhooks. */
  | { kind: 'record_unavailable'; reason: string };

interface Received {
  /** Epoch milliseconds of the first receipt. */
  receivedAt: number;
  /** Keyed hash of the bytes, hex. */
  hash: string;
}

export type Fact = Received &
  /** `omitted`: parts of the document that were changed or left out. `stored`: recordings from the payload, already in our store. */
  (
    | { source: 'webhook'; event: string; claims: Claims; omitted?: Omission[]; stored?: StoredRecording[] }
    /** `event` says who requested the record: `record` (the conversation's workflow), `backfill` or `poll`. */
    | { source: 'record'; event: string; claims: Claims; omitted?: Omission[]; stored?: StoredRecording[] }
    | { source: 'workflow'; event: WorkflowFact['kind']; statement: WorkflowFact }
  );

/** Interprets the body of a workflow's fact as stored in the inbox. */
export const workflowFactOf = (body: Json): WorkflowFact => body as unknown as WorkflowFact;
